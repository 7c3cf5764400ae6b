using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Tests.Lab;

/// <summary>A group of one member over a fake broker: assigns everything at the first read, cuts batches as it is told.</summary>
internal sealed class FakeSource(FakeBroker broker, int partitions, int recordsPerRead) : IRecordSource
{
    private readonly Dictionary<PartitionId, long> next = [];
    private readonly HashSet<PartitionId> paused = [];
    private readonly Dictionary<PartitionId, long> endsTold = [];
    private IReadOnlyList<string> topics = [];
    private IAssignmentHandler? handler;

    public IReadOnlyCollection<PartitionId> Assignment => next.Keys;

    public int Pauses { get; private set; }

    public bool TryReadBatch(RawRecordBatch into, TimeSpan wait)
    {
        into.Clear();
        if (next.Count == 0)
            Assign(handler!.Assigned([.. topics.SelectMany(t => Enumerable.Range(0, partitions).Select(p => new PartitionId(t, p)))]));
        foreach (var partition in next.Keys.Except(paused).ToList())
        {
            var before = into.Count;
            broker.Read(partition, next[partition], recordsPerRead, into);
            if (into.Count > before)
                next[partition] = into.Records[into.Count - 1].Offset + 1;
            if (into.Count == before && endsTold.GetValueOrDefault(partition, -1) != next[partition])
            {
                endsTold[partition] = next[partition];
                into.AppendEnd(partition, next[partition] + broker.Markers);
            }
        }

        if (into.Count == 0 && into.Ends.Count == 0)
            broker.Appended.Wait(wait);
        return into.Count > 0 || into.Ends.Count > 0;
    }

    public void Assign(IReadOnlyList<PartitionStart> starts)
    {
        foreach (var start in starts)
            next[start.Partition] = Math.Max(0, start.Offset);
    }

    public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler) => (this.topics, this.handler) = (topics, handler);

    public void Pause(IReadOnlyCollection<PartitionId> partitions)
    {
        Pauses++;
        paused.UnionWith(partitions);
    }

    public void Resume(IReadOnlyCollection<PartitionId> partitions) => paused.ExceptWith(partitions);

    public void Seek(PartitionId partition, long offset)
    {
        next[partition] = Math.Max(0, offset);
        endsTold.Remove(partition);
    }

    public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets)
    {
    }

    public void Dispose()
    {
    }
}
