using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>
/// Some partitions of a log as a sequence of chunks. Taking a chunk is sequential and cheap; turning it into rows is not, and may run on
/// several threads for several chunks. Within a partition rows come in offset order, across chunks as well.
/// </summary>
internal abstract class LogFeed
{
    /// <summary>The partitions whose records it carries.</summary>
    public abstract IReadOnlyList<int> Partitions { get; }

    /// <summary>Enumerated once at a time. Each chunk is passed to <see cref="Prepare"/> once, or disposed.</summary>
    public abstract IEnumerable<IDisposable> Chunks();

    /// <summary>Fills the batch from a chunk and disposes the chunk. Thread-safe for different batches.</summary>
    public abstract void Prepare(IDisposable chunk, FeedBatch into);
}

/// <summary>A log to be scanned: where its records come from and how its keys are spread.</summary>
/// <param name="Log">Its name.</param>
/// <param name="Partitions">How many partitions it has.</param>
/// <param name="Origin">For the manifest: "archive", "source archive" or "history".</param>
/// <param name="EstimatedRows">For sizing only.</param>
/// <param name="Open">Makes the feeds that decode the given columns.</param>
/// <param name="EndOffsets">By partition, the offset behind the last; null where offsets are not the log's own.</param>
internal sealed record LogInput(
    string Log, int Partitions, string Origin, long EstimatedRows, Func<EventSchema, IReadOnlyList<LogFeed>> Open, IReadOnlyList<long>? EndOffsets)
{
    /// <summary>What was read, for the fingerprint of a job: names and sizes of files.</summary>
    public required IReadOnlyList<string> Inventory { get; init; }

    /// <summary>The columns to decode: the fields that are asked for, and those by which records that are not archived under this log are spread.</summary>
    public EventSchema SchemaOf(SourceDefinition source, IEnumerable<string> fields)
    {
        var wanted = fields.ToHashSet(StringComparer.Ordinal);
        if (EndOffsets is null)
            wanted.UnionWith(source.KeyFields);
        return source.Schema.Project(wanted);
    }
}
