using System.Numerics;
using StreamMl.BatchBackfill.Logs;
using StreamMl.FeatureEngine.Services;
using StreamMl.Shared.Definitions;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>How the work is laid out; nothing here changes a value.</summary>
internal sealed record JobLimits(long MemoryBytes, long RowBytes, int Cores, int Buckets, string ScratchDirectory);

/// <summary>
/// Computes views over one log for all spine rows: reads from the spine, one scan of the log, then bucket by bucket through the engine. Memory
/// stays within the limits: reads that do not fit are refused.
/// </summary>
internal sealed class PointInTimeJob(ServiceProgram service, SpineReads reads, long spineRows, bool byEventTime, JobLimits limits, Action<BackfillProgress> progress)
{
    private const long BytesPerRead = 48;

    /// <summary>Views that are done in one scan: as many as their reads leave room for.</summary>
    /// <exception cref="BackfillException">Not even those of one view fit.</exception>
    public IEnumerable<IReadOnlyList<ServiceView>> Groups(IReadOnlyList<ServiceView> views)
    {
        var bytes = Math.Max(1, spineRows * BytesPerRead);
        if (bytes > limits.MemoryBytes)
            throw new BackfillException($"the reads of {spineRows} rows take {bytes >> 20} MiB, --memory is {limits.MemoryBytes >> 20} MiB: give --memory {(bytes >> 20) + 1}MB, or make the training set in parts (--from-time and --until-time, or several spine files)");
        return views.Chunk((int)Math.Clamp(limits.MemoryBytes / 2 / bytes, 1, views.Count));
    }

    /// <summary>Runs the views over their log and returns, by partition, how long a prefix of it the reads used.</summary>
    public long[] Run(LogInput log, SourceDefinition source, IReadOnlyList<ServiceView> views, IReadOnlyDictionary<string, FeatureScratch> outputs, CancellationToken cancellationToken)
    {
        var parts = views.Select(v => Enumerable.Range(0, log.Partitions).Select(p => new ViewPartition(v, p)).ToArray()).ToArray();
        try
        {
            reads.AddTo(parts, log.Partitions);
            CheckEnds(log, parts);
            var budget = new MemoryBudget(limits.RowBytes);
            foreach (var view in parts.SelectMany(p => p))
            {
                var layout = new RowLayout(view.View.Program.AggregatedSchema);
                view.Rows = new RowBuckets(layout, BucketCount(log, view, layout, parts.Length), budget, Path.Combine(limits.ScratchDirectory, $"{view.View.Name}-{view.Partition}.spill"));
            }

            var scans = Enumerable.Range(0, log.Partitions).Select(p => new PartitionScan(source, [.. parts.Select(v => v[p])], byEventTime)).ToArray();
            new LogScan(log, source, views, scans, byEventTime)
                .Run(limits.Cores, done => progress(new BackfillProgress($"scan {log.Log}", done, log.EstimatedRows)), cancellationToken);
            Fold(log.Log, parts, outputs, cancellationToken);
            return [.. Enumerable.Range(0, log.Partitions).Select(p => parts.Max(v => UsedPrefix(v[p])))];
        }
        finally
        {
            foreach (var view in parts.SelectMany(p => p))
                view.Dispose();
        }
    }

    private static long UsedPrefix(ViewPartition view)
    {
        var end = 0L;
        for (var i = 0; i < view.ReadCount; i++)
            end = Math.Max(end, view.Read(i).Bound);
        return end;
    }

    /// <summary>A read names a prefix: all of it must be there.</summary>
    private static void CheckEnds(LogInput log, ViewPartition[][] parts)
    {
        foreach (var view in parts.SelectMany(p => p))
        {
            if (view.ByOffset.Count == 0)
                continue;
            var end = log.EndOffsets?[view.Partition]
                ?? throw new BackfillException($"view '{view.View.Name}' was read at offsets of {log.Log}, of which there is no archive: archive it, or leave out --served");
            var wanted = 0L;
            foreach (ref readonly var read in view.ByOffset.All)
                wanted = Math.Max(wanted, read.Bound);
            if (wanted > end)
                throw new BackfillException($"the archive of {log.Log}/{view.Partition} ends before offset {end}; a value was read at offset {wanted}: let the archiver catch up");
        }
    }

    /// <summary>Small enough for a cache, large enough to fill their blocks.</summary>
    private int BucketCount(LogInput log, ViewPartition view, RowLayout layout, int views)
    {
        if (limits.Buckets > 0)
            return limits.Buckets;
        var bytes = log.EstimatedRows / log.Partitions * layout.UsualBytes;
        var most = Math.Min(1024, limits.MemoryBytes / 8 / RowBuckets.BlockBytes / (views * log.Partitions));
        var wanted = Math.Min(bytes >> 20, Math.Min(most, view.Entities.Count));
        return 1 << BitOperations.Log2((ulong)Math.Max(1, wanted));
    }

    private void Fold(string log, ViewPartition[][] parts, IReadOnlyDictionary<string, FeatureScratch> outputs, CancellationToken cancellationToken)
    {
        foreach (var view in parts.SelectMany(p => p))
            view.GroupReads();
        var tasks = parts.SelectMany(p => p).Where(v => v.ReadCount > 0)
            .SelectMany(v => Enumerable.Range(0, v.Rows!.Count).Select(b => (View: v, Bucket: b)))
            .OrderByDescending(t => t.View.Rows!.BytesOf(t.Bucket)).ToArray();
        var next = -1;
        var options = new ParallelOptions { MaxDegreeOfParallelism = limits.Cores, CancellationToken = cancellationToken };
        Parallel.For(0, limits.Cores, options, _ =>
        {
            var folders = new Dictionary<string, EntityFolder>(StringComparer.Ordinal);
            try
            {
                for (var i = Interlocked.Increment(ref next); i < tasks.Length; i = Interlocked.Increment(ref next))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    FoldOne(tasks[i].View, tasks[i].Bucket, folders, outputs);
                    progress(new BackfillProgress($"fold {log}", i + 1, tasks.Length));
                }
            }
            finally
            {
                foreach (var folder in folders.Values)
                    folder.Dispose();
            }
        });
    }

    private void FoldOne(ViewPartition view, int bucket, Dictionary<string, EntityFolder> folders, IReadOnlyDictionary<string, FeatureScratch> outputs)
    {
        var name = view.View.Name;
        if (!folders.TryGetValue(name, out var folder))
            folders[name] = folder = new EntityFolder(view.View, service.Columns.Count, outputs[name], byEventTime, view);
        new BucketFold(view, bucket, limits.RowBytes / 2 / limits.Cores, byEventTime).Run(folder);
    }
}
