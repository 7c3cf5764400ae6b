using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace StreamMl.OnlineScorer.Tests.Scoring;

/// <summary>What the serving counters were raised by in this test's own flow of control: they are the process's, and other tests run beside it.</summary>
internal sealed class CountedHere : IDisposable
{
    private readonly AsyncLocal<bool> here = new() { Value = true };
    private readonly ConcurrentDictionary<string, long> sums = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();

    public CountedHere()
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            // Told while the counters are still being made: the class cannot be asked for one of them yet.
            if (instrument.Meter.Name == ServingMetrics.MeterName)
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            if (here.Value)
                sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);
        });
        listener.Start();
    }

    public long this[string counter] => sums.GetValueOrDefault(counter);

    public void Dispose() => listener.Dispose();
}
