using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Archiving;

/// <summary>
/// Copies logs into the archive, record by record as they are. Its positions are the files themselves: whoever gets a partition goes on behind
/// the last complete file. One polling thread; <see cref="Positions"/> may be read from any.
/// </summary>
internal sealed partial class Archiver : IAssignmentHandler, IDisposable
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] SourcePosition = Encoding.ASCII.GetBytes(LogNames.SourcePositionHeader);

    private readonly ArchiveLayout layout;
    private readonly IRecordSource source;
    private readonly IReadOnlyDictionary<string, int> logs;
    private readonly SchemaArchive schemas;
    private readonly ArchiverOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Dictionary<PartitionId, OpenPartition> open = [];
    private readonly ConcurrentDictionary<PartitionId, long> positions = new();
    private readonly Dictionary<string, BudgetReader> budgetReaders = new(StringComparer.Ordinal);
    private IReadOnlyList<PartitionId> ended = [];

    /// <param name="layout">Where the archive is.</param>
    /// <param name="source">In group mode; owned by the caller.</param>
    /// <param name="logs">The logs and their partition counts.</param>
    /// <param name="schemas">Keeps the schemas that records name.</param>
    /// <param name="options">When files are completed.</param>
    /// <param name="time">The clock for ages.</param>
    /// <param name="logger">Takes the messages.</param>
    public Archiver(ArchiveLayout layout, IRecordSource source, IReadOnlyDictionary<string, int> logs, SchemaArchive schemas, ArchiverOptions options, TimeProvider time, ILogger logger)
    {
        (this.layout, this.source, this.logs, this.schemas) = (layout, source, logs, schemas);
        (this.options, this.time, this.logger) = (options, time, logger);
        foreach (var (log, partitions) in logs)
            layout.SetPartitions(log, partitions);
    }

    /// <summary>The embedded Kafka's bound on how far producers may be ahead of this reader; null for a real one.</summary>
    public ByteBudget? Budget { get; init; }

    /// <summary>The first offsets that a real Kafka still has. Null (the embedded one, which waits for this reader): not asked.</summary>
    public Func<IReadOnlyList<PartitionId>, IReadOnlyDictionary<PartitionId, long>>? FirstOffsets { get; init; }

    /// <summary>By partition, the first offset that is not in a complete file yet.</summary>
    public IReadOnlyDictionary<PartitionId, long> Positions => positions;

    /// <summary>Runs until cancelled; then completes all files.</summary>
    /// <exception cref="ArchiveLossException">The topic has dropped what was not archived yet.</exception>
    /// <exception cref="SetupException">The topic ends before its archive does.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        try
        {
            ReadAll(cancellationToken);
        }
        catch (OffsetOutOfRangeException e) when (FirstOffsets is not null)
        {
            // All files are complete, so positions are where the archive ends.
            var losses = LossesOf(ended, FirstOffsets(ended));
            if (losses.Count > 0)
                throw new ArchiveLossException(losses, e);
            throw new SetupException($"the archive of {e.Partition} in {layout.Directory} stands at offset {positions[e.Partition]}, and the topic ends before: it was truncated. Archive it into another directory (`streamml archive` with another --dir)", e);
        }
    }

    private void ReadAll(CancellationToken cancellationToken)
    {
        foreach (var log in logs.Keys)
        {
            if (Budget is not null)
                budgetReaders[log] = Budget.AddReader(log, options.GroupId);
        }

        using var batch = new RawRecordBatch();
        try
        {
            source.Subscribe([.. logs.Keys], this);
            while (!cancellationToken.IsCancellationRequested)
            {
                if (source.TryReadBatch(batch, PollWait))
                    Append(batch, cancellationToken);
                RollDue();
            }
        }
        finally
        {
            ended = [.. open.Keys.OrderBy(p => p.Topic, StringComparer.Ordinal).ThenBy(p => p.Partition)];
            Revoked(ended);
        }
    }

    public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions)
    {
        // Files of a partition that the archive's log does not have would be a log that nobody can replay.
        if (partitions.FirstOrDefault(p => p.Partition >= logs[p.Topic]) is { Topic: not null } added)
            throw new SetupException($"topic '{added.Topic}' has at least {added.Partition + 1} partitions, and its archive in {layout.Directory} is written from {logs[added.Topic]}: the count says in which partition an entity's records are. Stop the archiver; what else to do `streamml features` says when it is started. Then archive into another directory (another --dir)");
        var roll = new ArchiveRollOptions { MaxRecords = options.RollMaxRecords, MaxBytes = options.RollMaxBytes };
        foreach (var partition in partitions)
            open[partition] = new OpenPartition(new ArchivePartitionWriter(layout, partition, roll));
        if (FirstOffsets is not null)
            MeetTopic(partitions, FirstOffsets(partitions));
        var starts = new List<PartitionStart>(partitions.Count);
        foreach (var partition in partitions)
        {
            var next = open[partition].Writer.NextOffset;
            positions[partition] = next;
            starts.Add(new PartitionStart(partition, next == 0 && FirstOffsets is null ? PartitionStart.Beginning : next));
            Opened(logger, partition, next);
        }

        return starts;
    }

    public void Revoked(IReadOnlyList<PartitionId> partitions)
    {
        foreach (var partition in partitions)
        {
            if (!open.Remove(partition, out var ending))
                continue;
            Roll(partition, ending);
            ending.Writer.Dispose();
        }
    }

    /// <summary>Another member may have them: what is pending is its to read again. The lock of the files decides who writes.</summary>
    public void Lost(IReadOnlyList<PartitionId> partitions)
    {
        foreach (var partition in partitions)
        {
            if (open.Remove(partition, out var lost))
                lost.Writer.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var partition in open.Values)
            partition.Writer.Dispose();
        foreach (var reader in budgetReaders.Values)
            reader.Dispose();
    }

    /// <summary>Begins what is new where its topic begins, and sees to it that the topic still has what comes next of the rest.</summary>
    private void MeetTopic(IReadOnlyList<PartitionId> partitions, IReadOnlyDictionary<PartitionId, long> firsts)
    {
        foreach (var partition in partitions.Where(p => open[p].Writer.IsNew))
        {
            open[partition].Writer.Begin(firsts[partition]);
            if (firsts[partition] > 0)
                BegunLate(logger, partition, firsts[partition]);
        }

        foreach (var partition in partitions)
            positions[partition] = open[partition].Writer.NextOffset;
        var losses = LossesOf(partitions, firsts);
        if (losses.Count > 0 && !options.AcceptLoss)
            throw new ArchiveLossException(losses, inner: null);
        foreach (var loss in losses)
        {
            open[loss.Partition].Writer.AcceptLoss(loss.LastOffset + 1);
            LossAccepted(logger, loss);
        }
    }

    private List<ArchiveLoss> LossesOf(IEnumerable<PartitionId> partitions, IReadOnlyDictionary<PartitionId, long> firsts) =>
        [.. partitions.Where(p => firsts[p] > positions[p]).Select(p => new ArchiveLoss(p, positions[p], firsts[p] - 1))];

    private void Append(RawRecordBatch batch, CancellationToken cancellationToken)
    {
        foreach (var run in batch.Runs)
        {
            if (!open.TryGetValue(run.Partition, out var partition))
                continue;
            for (var row = run.First; row < run.First + run.Count; row++)
            {
                var record = batch.Records[row];
                if (record.Offset < partition.Writer.NextOffset)
                    continue;
                schemas.Keep(batch.Value(row), cancellationToken);
                var (sourcePartition, sourceOffset) = SourceOf(batch, row);
                partition.Writer.Append(record.Offset, record.TimestampUs, batch.Key(row), record.HasKey, batch.Value(row), record.HasValue, sourcePartition, sourceOffset);
                if (partition.Writer.IsFull)
                    Roll(run.Partition, partition);
            }

            partition.Touch(time.GetTimestamp());
            // The embedded Kafka dies with this process, so what was read need not be kept for another.
            if (budgetReaders.TryGetValue(run.Partition.Topic, out var reader))
                reader.Release(run.Partition.Partition, partition.Writer.NextOffset);
        }

        foreach (var end in batch.Ends)
        {
            if (!open.TryGetValue(end.Partition, out var partition) || end.Offset <= partition.Writer.NextOffset)
                continue;
            partition.Writer.SkipTo(end.Offset);
            partition.Touch(time.GetTimestamp());
        }
    }

    private static (int Partition, long Offset) SourceOf(RawRecordBatch batch, int row) =>
        batch.TryGetHeader(row, SourcePosition, out var header) && header.Length == 12
            ? (BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt64BigEndian(header[4..]))
            : (-1, 0);

    private void RollDue()
    {
        foreach (var (id, partition) in open)
        {
            if (!partition.Writer.HasPending)
                continue;
            if (time.GetElapsedTime(partition.LastAt).TotalMilliseconds >= options.RollIdleMs || time.GetElapsedTime(partition.FirstAt).TotalMilliseconds >= options.RollMaxAgeMs)
                Roll(id, partition);
        }
    }

    private void Roll(PartitionId id, OpenPartition partition)
    {
        partition.Writer.Roll();
        partition.FirstAt = 0;
        positions[id] = partition.Writer.DurableOffset;
        source.CommitForLag([new PartitionStart(id, partition.Writer.DurableOffset)]);
        Rolled(logger, id, partition.Writer.DurableOffset);
    }

    private sealed class OpenPartition(ArchivePartitionWriter writer)
    {
        public ArchivePartitionWriter Writer => writer;

        /// <summary>When the oldest pending record came.</summary>
        public long FirstAt { get; set; }

        public long LastAt { get; private set; }

        public void Touch(long now)
        {
            LastAt = now;
            if (FirstAt == 0)
                FirstAt = now;
        }
    }
}
