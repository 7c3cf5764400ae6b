using System.Diagnostics.Metrics;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Replay;

/// <summary>How far one source's replay is. <c>RowsRead = Produced + DeadLettered + NotWanted + OutsideTime + AlreadyThere + still held</c>; nothing is held at the end.</summary>
/// <param name="Source">Its name.</param>
/// <param name="RowsRead">Rows of the files.</param>
/// <param name="Produced">Sent to the topic, and at the end delivered.</param>
/// <param name="DeadLettered">Sent to the dead-letter topic.</param>
/// <param name="NotWanted">Passed over by the mapping's <c>where</c>.</param>
/// <param name="OutsideTime">Passed over by the options' from.</param>
/// <param name="AlreadyThere">In the topic since an earlier run.</param>
public sealed record SourceProgress(string Source, long RowsRead, long Produced, long DeadLettered, long NotWanted, long OutsideTime, long AlreadyThere);

/// <summary>The progress of a replay, for a screen. Thread-safe; the figures of one moment may be a few records apart.</summary>
public sealed class ReplayStatus : IDisposable
{
    private readonly Meter meter = new("StreamMl.Ingestors");
    private readonly Counter<long> produced;
    private readonly Counter<long> deadLettered;
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IReadOnlyList<SourceProgress> sources = [];
    private long arrivalTimeUs = PositionRecord.None;
    private long gateWaits;

    public ReplayStatus()
    {
        produced = meter.CreateCounter<long>("streamml.ingest.produced", "{record}", "Records sent to source topics");
        deadLettered = meter.CreateCounter<long>("streamml.ingest.dead_lettered", "{record}", "Records sent to dead-letter topics");
    }

    public IReadOnlyList<SourceProgress> Sources => sources;

    /// <summary>Arrival time of the last record sent; <see cref="PositionRecord.None"/> before the first.</summary>
    public long ArrivalTimeUs => Interlocked.Read(ref arrivalTimeUs);

    /// <summary>How often the replay had to wait for a worker.</summary>
    public long GateWaits => Interlocked.Read(ref gateWaits);

    /// <summary>Ends when everything is delivered, or with what stopped the replay.</summary>
    public Task Completion => completion.Task;

    public void Dispose() => meter.Dispose();

    internal void Report(IReadOnlyList<SourceProgress> progress, long lastArrivalUs, long waits)
    {
        var before = sources;
        sources = progress;
        Interlocked.Exchange(ref arrivalTimeUs, lastArrivalUs);
        Interlocked.Exchange(ref gateWaits, waits);
        for (var i = 0; i < progress.Count; i++)
        {
            var tag = new KeyValuePair<string, object?>("source", progress[i].Source);
            produced.Add(progress[i].Produced - (i < before.Count ? before[i].Produced : 0), tag);
            deadLettered.Add(progress[i].DeadLettered - (i < before.Count ? before[i].DeadLettered : 0), tag);
        }
    }

    internal void Complete() => completion.TrySetResult();

    internal void Fail(Exception error) => completion.TrySetException(error);
}
