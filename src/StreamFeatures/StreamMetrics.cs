using System.Diagnostics.Metrics;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures;

/// <summary>The meter <c>StreamMl.StreamFeatures</c>. Counts carry the tag <c>log</c>. Thread-safe.</summary>
public sealed class StreamMetrics : IDisposable
{
    public const string MeterName = "StreamMl.StreamFeatures";

    // A commit takes from under a millisecond (idle) to some hundreds (tens of thousands of states).
    private static readonly InstrumentAdvice<double> CommitBuckets = new() { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] };

    private readonly Meter meter = new(MeterName);
    private readonly Counter<long> read;
    private readonly Counter<long> applied;
    private readonly Counter<long> late;
    private readonly Counter<long> duplicate;
    private readonly Counter<long> filtered;
    private readonly Counter<long> deadLettered;
    private readonly Counter<long> commits;
    private readonly Counter<long> statesWritten;
    private readonly Counter<long> restarts;
    private readonly Histogram<double> commitSeconds;

    public StreamMetrics()
    {
        read = meter.CreateCounter<long>("streamml.features.records.read", "{record}", "Records of the log, whatever became of them.");
        applied = meter.CreateCounter<long>("streamml.features.records.applied", "{record}", "Entered a view or a repartition topic.");
        late = meter.CreateCounter<long>("streamml.features.records.late", "{record}", "Too late for every window.");
        duplicate = meter.CreateCounter<long>("streamml.features.records.duplicate", "{record}", "Repartitioned twice.");
        filtered = meter.CreateCounter<long>("streamml.features.records.filtered", "{record}", "Wanted by no view.");
        deadLettered = meter.CreateCounter<long>("streamml.features.records.dead_lettered", "{record}", "Bad data.");
        commits = meter.CreateCounter<long>("streamml.features.commits", "{commit}", "Commits in the store.");
        statesWritten = meter.CreateCounter<long>("streamml.features.states.written", "{state}", "States that commits wrote.");
        restarts = meter.CreateCounter<long>("streamml.features.restarts", "{restart}", "Partitions started over from the store's position, by tag reason.");
        commitSeconds = meter.CreateHistogram<double>("streamml.features.commit.duration", "s", "From the begin of a commit to its answer, deliveries included.", advice: CommitBuckets);
    }

    /// <summary>Gauges over the running workers: lag, entities, memory, queued bytes.</summary>
    internal void Observe(Func<IEnumerable<Measurement<long>>> lag, Func<IEnumerable<Measurement<long>>> entities, Func<long> memory, Func<long> queued)
    {
        meter.CreateObservableGauge("streamml.features.lag", lag, "{record}", "Records between the position and the log's end, by log and partition.");
        meter.CreateObservableGauge("streamml.features.entities", entities, "{entity}", "Entities in memory, by view and partition.");
        meter.CreateObservableGauge("streamml.features.memory", memory, "By", "Memory of states.");
        meter.CreateObservableGauge("streamml.features.queued", queued, "By", "Records read and not yet applied.");
    }

    public void Dispose() => meter.Dispose();

    internal void Counted(string log, LedgerCounts counts)
    {
        var tag = new KeyValuePair<string, object?>("log", log);
        read.Add(counts.Read, tag);
        Add(applied, counts.Applied, tag);
        Add(late, counts.Late, tag);
        Add(duplicate, counts.Duplicate, tag);
        Add(filtered, counts.Filtered, tag);
        Add(deadLettered, counts.DeadLettered, tag);
    }

    internal void Committed(string log, int states, TimeSpan duration)
    {
        var tag = new KeyValuePair<string, object?>("log", log);
        commits.Add(1, tag);
        statesWritten.Add(states, tag);
        commitSeconds.Record(duration.TotalSeconds, tag);
    }

    internal void StartedOver(string log, string reason) => restarts.Add(1, new("log", log), new("reason", reason));

    private static void Add(Counter<long> counter, long count, KeyValuePair<string, object?> tag)
    {
        if (count > 0)
            counter.Add(count, tag);
    }
}
