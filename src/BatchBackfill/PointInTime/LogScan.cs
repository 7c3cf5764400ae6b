using System.Text;
using StreamMl.BatchBackfill.Logs;
using StreamMl.FeatureEngine.Services;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// Scans a log once for all views over it: decodes and looks keys up on all cores, passes the records of each partition through its gate in
/// offset order, gives every read its prefix, and keeps the rows of the entities that are read.
/// </summary>
internal sealed class LogScan(LogInput log, SourceDefinition source, IReadOnlyList<ServiceView> views, PartitionScan[] partitions, bool byEventTime)
{
    private readonly EntityLookup[] lookups = new EntityLookup[views.Count];
    private long records;

    /// <summary>Records seen so far; may be read by any thread.</summary>
    public long Records => Interlocked.Read(ref records);

    public void Run(int cores, Action<long> progress, CancellationToken cancellationToken)
    {
        foreach (var partition in partitions)
            partition.Start();
        var schema = log.SchemaOf(source, views.SelectMany(v => v.Program.RequiredFields));
        for (var v = 0; v < lookups.Length; v++)
            lookups[v] = EntityLookup.Of(schema, [.. partitions.Select(p => p.Views[v])]);
        var cursors = log.Open(schema).Select(f => new FeedCursor(f)).ToArray();
        try
        {
            Parallel.For(0, cores, new ParallelOptions { MaxDegreeOfParallelism = cores }, _ => Work(cursors, schema, progress, cancellationToken));
        }
        catch (AggregateException e)
        {
            // The one that failed, not those that it stopped.
            var cause = e.Flatten().InnerExceptions.FirstOrDefault(x => x is not OperationCanceledException) ?? e.InnerException!;
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
        }
        finally
        {
            foreach (var cursor in cursors)
                cursor.Dispose();
        }

        foreach (var partition in partitions)
            partition.Finish();
    }

    private void Work(FeedCursor[] cursors, EventSchema schema, Action<long> progress, CancellationToken cancellationToken)
    {
        var batch = new FeedBatch(schema);
        var inputs = views.Select((v, i) => new ViewInput(v.Program, schema, hasKeys: lookups[i].NeedsKeys)).ToArray();
        var ids = views.Select(_ => Array.Empty<int>()).ToArray();
        try
        {
            while (Next(cursors) is var (cursor, chunk, sequence))
            {
                cancellationToken.ThrowIfCancellationRequested();
                cursor.Feed.Prepare(chunk, batch);
                Find(batch, inputs, ids);
                cursor.WaitForTurn(sequence);
                Commit(cursor, batch, inputs, ids);
                cursor.Done();
                progress(Interlocked.Add(ref records, batch.Count));
            }
        }
        catch
        {
            foreach (var cursor in cursors)
                cursor.Abort();
            throw;
        }
    }

    /// <summary>A chunk of the feed that has the fewest workers.</summary>
    private static (FeedCursor Cursor, IDisposable Chunk, long Sequence)? Next(FeedCursor[] cursors)
    {
        foreach (var cursor in cursors.OrderBy(c => c.InFlight))
        {
            if (cursor.TryTake(out var chunk, out var sequence))
                return (cursor, chunk, sequence);
        }

        return null;
    }

    private void Find(FeedBatch batch, ViewInput[] inputs, int[][] ids)
    {
        for (var v = 0; v < inputs.Length; v++)
        {
            var input = inputs[v];
            input.Bind(batch.Events);
            if (ids[v].Length < batch.Count)
                ids[v] = new int[Math.Max(batch.Count, 4096)];
            CheckPartition(v, batch, input);
            lookups[v].Find(batch, input, ids[v]);
        }
    }

    /// <summary>A producer with another partitioner would make every answer wrong, here and online: one record of each batch is checked.</summary>
    private void CheckPartition(int view, FeedBatch batch, ViewInput input)
    {
        var row = 0;
        while (row < batch.Count && (batch.Decoded[row] == 0 || input.IsFiltered(row)))
            row++;
        if (row == batch.Count)
            return;
        var key = lookups[view].KeyOf(batch, input, row);
        var expected = KeyPartitioner.PartitionOf(key, log.Partitions);
        if (expected != batch.Partitions[row])
            throw new InvalidDataException($"{log.Log}/{batch.Partitions[row]} offset {batch.Events.Offsets[row]} has entity '{Encoding.UTF8.GetString(key)}' of view '{views[view].Name}', which belongs to partition {expected} of {log.Partitions}: the producer must use the partitioner murmur2_random on the canonical entity key");
    }

    private void Commit(FeedCursor cursor, FeedBatch batch, ViewInput[] inputs, int[][] ids)
    {
        for (var row = 0; row < batch.Count; row++)
            partitions[batch.Partitions[row]].Take(batch, row, inputs, ids);
        if (!byEventTime && cursor.Feed.Partitions.All(p => partitions[p].IsDone))
            cursor.End();
    }
}
