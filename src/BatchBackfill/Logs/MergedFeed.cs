using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>
/// A repartition log that was never archived, made from its source's archive: the source's accepted records in the order (arrival time,
/// source partition, offset), under the view's key. Offsets are positions in that order, by partition.
/// </summary>
internal sealed class MergedFeed(SourceDefinition source, IReadOnlyList<LogFeed> sources, EventSchema schema, KeyFields keys, int partitions) : LogFeed
{
    private const int RowsPerChunk = 8192;

    public override IReadOnlyList<int> Partitions { get; } = [.. Enumerable.Range(0, partitions)];

    public override IEnumerable<IDisposable> Chunks()
    {
        using var merge = new AcceptedMerge(source, sources, schema);
        var nextOffset = new long[partitions];
        var arena = new Utf8Arena();
        var chunk = NewChunk();
        while (merge.MoveNext())
        {
            arena.Clear();
            var key = keys.Append(arena, merge.Batch.Events, merge.Row);
            if (key < 0)
                continue;
            var partition = KeyPartitioner.PartitionOf(arena.Slice(key), partitions);
            var row = RowCopy.Append(merge.Batch.Events, merge.Row, chunk.Batch);
            chunk.Batch.Partitions[row] = partition;
            chunk.Batch.Events.Offsets[row] = nextOffset[partition]++;
            chunk.Batch.Events.ArrivalTimesUs[row] = merge.ArrivalClockUs;
            if (chunk.Batch.Count < RowsPerChunk)
                continue;
            yield return chunk;
            chunk = NewChunk();
        }

        if (chunk.Batch.Count > 0)
            yield return chunk;
    }

    public override void Prepare(IDisposable chunk, FeedBatch into)
    {
        var batch = ((MergedChunk)chunk).Batch;
        into.Clear(batch.Count);
        for (var row = 0; row < batch.Count; row++)
        {
            RowCopy.Append(batch.Events, row, into);
            into.Partitions[row] = batch.Partitions[row];
        }
    }

    private MergedChunk NewChunk()
    {
        var batch = new FeedBatch(schema);
        batch.Clear(RowsPerChunk);
        return new MergedChunk(batch);
    }

    private sealed class MergedChunk(FeedBatch batch) : IDisposable
    {
        public FeedBatch Batch { get; } = batch;

        public void Dispose()
        {
            // Plain memory.
        }
    }
}

/// <summary>The fields that make a key, found in a schema.</summary>
internal sealed class KeyFields(EventSchema schema, IReadOnlyList<string> fields)
{
    private readonly int[] columns = [.. fields.Select(schema.IndexOf)];

    public long Append(Utf8Arena arena, EventBatch batch, int row) => EntityKey.Append(arena, batch, columns, row);
}
