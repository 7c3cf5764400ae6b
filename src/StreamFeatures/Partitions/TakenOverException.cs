using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Partitions;

/// <summary>Another worker has claimed the views that this one was building beside it: it goes on from the store's position, and this one is done.</summary>
internal sealed class TakenOverException(PartitionId partition) : Exception($"{partition}: another worker has taken the views over")
{
    public PartitionId Partition { get; } = partition;
}
