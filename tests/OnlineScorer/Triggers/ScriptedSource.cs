using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Tests.Triggers;

/// <summary>A topic in memory: every partition is assigned at the first read, and records may be added while it is read. Thread-safe to add to.</summary>
internal sealed class ScriptedSource(string topic, int partitions) : IRecordSource
{
    private readonly List<(long TimestampUs, byte[] Value)>[] records = [.. Enumerable.Range(0, partitions).Select(_ => new List<(long, byte[])>())];
    private readonly long[] next = new long[partitions];
    private IAssignmentHandler? handler;
    private bool isAssigned;
    private int readsToLoss = -1;

    public IReadOnlyCollection<PartitionId> Assignment => [.. Enumerable.Range(0, partitions).Select(p => new PartitionId(topic, p))];

    public void Add(int partition, long timestampUs, byte[] value)
    {
        lock (records)
            records[partition].Add((timestampUs, value));
    }

    /// <summary>After so many reads all partitions are lost without notice; at the read behind that they come back. Said before it is read.</summary>
    public void Lose(int after) => readsToLoss = after;

    /// <summary>The same records, to be read by the next process.</summary>
    public ScriptedSource Reopen()
    {
        var copy = new ScriptedSource(topic, partitions);
        lock (records)
        {
            for (var p = 0; p < partitions; p++)
                copy.records[p].AddRange(records[p]);
        }

        return copy;
    }

    public bool TryReadBatch(RawRecordBatch into, TimeSpan wait)
    {
        into.Clear();
        if (readsToLoss-- == 0)
        {
            isAssigned = false;
            handler!.Lost([.. Assignment]);
            return false;
        }

        if (!isAssigned)
        {
            isAssigned = true;
            foreach (var start in handler!.Assigned([.. Assignment]))
                next[start.Partition.Partition] = Math.Max(start.Offset, 0);
        }

        lock (records)
        {
            for (var p = 0; p < partitions; p++)
            {
                for (; next[p] < records[p].Count && into.Count < into.MaxRecords; next[p]++)
                    into.Append(new PartitionId(topic, p), next[p], records[p][(int)next[p]].TimestampUs, [], false, records[p][(int)next[p]].Value, true);
            }
        }

        return into.Count > 0;
    }

    public void Assign(IReadOnlyList<PartitionStart> starts) => throw new NotSupportedException();

    public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler)
    {
        topics.ShouldBe([topic]);
        this.handler = handler;
    }

    public void Pause(IReadOnlyCollection<PartitionId> partitions)
    {
    }

    public void Resume(IReadOnlyCollection<PartitionId> partitions)
    {
    }

    public void Seek(PartitionId partition, long offset) => next[partition.Partition] = offset;

    public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets)
    {
    }

    public void Dispose() => handler?.Revoked([.. Assignment]);
}
