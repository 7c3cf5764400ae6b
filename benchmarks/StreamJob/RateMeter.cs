using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace StreamMl.Benchmarks.StreamJob;

/// <summary>The peers' meter in C#: rates between <c>PEERS_WARM</c> (default 0.3) of the expected events and all of them, as their line of JSON.</summary>
internal sealed class RateMeter : IDisposable
{
    private readonly string run;
    private readonly long expected;
    private readonly MeterListener listener = new();
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly double warmShare = double.Parse(Environment.GetEnvironmentVariable("PEERS_WARM") ?? "0.3", CultureInfo.InvariantCulture);
    private Timer? timer;
    private long count;
    private long states;
    private Sample? first;
    private Sample? warm;
    private Sample? last;

    public RateMeter(string run, string meter, string counter, long expected)
    {
        (this.run, this.expected) = (run, expected);
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == meter && (instrument.Name == counter || instrument.Name.EndsWith("states.written", StringComparison.Ordinal)))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument.Name == counter ? value : 0, instrument.Name == counter ? 0 : value));
        listener.Start();
    }

    private sealed record Sample(long Ticks, long Count, TimeSpan Cpu, long Bytes, double Servers, double Machine);

    public Task Done => done.Task;

    public void Add(long events, long statesWritten = 0)
    {
        Interlocked.Add(ref count, events);
        Interlocked.Add(ref states, statesWritten);
    }

    public void Start() => timer = new Timer(_ => Look(), null, 20, 20);

    public string Report()
    {
        var (f, w, l) = (first!, warm!, last!);
        var seconds = Stopwatch.GetElapsedTime(w.Ticks, l.Ticks).TotalSeconds;
        double events = l.Count - w.Count, cpu = (l.Cpu - w.Cpu).TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture,
            $"{{\"run\":\"{run}\",\"events\":{l.Count},\"finished\":{(l.Count >= expected ? "true" : "false")},\"eventsPerSecond\":{events / seconds:F0},"
            + $"\"wholeEventsPerSecond\":{l.Count / Stopwatch.GetElapsedTime(f.Ticks, l.Ticks).TotalSeconds:F0},\"cpuSecondsPerMillion\":{cpu / events * 1e6:F3},"
            + $"\"wholeCpuSecondsPerMillion\":{l.Cpu.TotalSeconds / l.Count * 1e6:F3},\"cores\":{cpu / seconds:F2},\"serverCores\":{(l.Servers - w.Servers) / seconds:F2},"
            + $"\"otherCores\":{(l.Machine - w.Machine - l.Servers + w.Servers - cpu) / seconds:F2},\"peakRssMiB\":{PeakRssKiB() / 1024},\"bytesPerEvent\":{(l.Bytes - w.Bytes) / events:F0},"
            + $"\"written\":{Interlocked.Read(ref states)}}}");
    }

    public void Dispose()
    {
        timer?.Dispose();
        listener.Dispose();
    }

    private void Look()
    {
        var now = new Sample(Stopwatch.GetTimestamp(), Interlocked.Read(ref count), Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), Servers(), Machine());
        if (now.Count == 0 || done.Task.IsCompleted)
            return;
        first ??= now;
        if (warm is null && now.Count >= expected * warmShare)
            warm = now;
        if (now.Count < expected)
            return;
        last = now;
        done.TrySetResult();
    }

    private static double Servers()
    {
        double ticks = 0;
        foreach (var id in (Environment.GetEnvironmentVariable("PEERS_SERVERS") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            ticks += long.Parse(fields[11]) + long.Parse(fields[12]);
        }

        return ticks / 100;
    }

    private static double Machine()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new[] { 1, 2, 3, 6, 7, 8 }.Sum(i => long.Parse(fields[i])) / 100.0;
    }

    private static long PeakRssKiB() =>
        long.Parse(new string([.. File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Where(char.IsAsciiDigit)]));
}
