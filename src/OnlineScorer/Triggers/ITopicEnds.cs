using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Tells from where to where topics reach. Thread-safe.</summary>
public interface ITopicEnds
{
    /// <summary>One past the last record of each partition at this moment, in the order of the question; 0 where there is no such topic yet.</summary>
    Task<IReadOnlyList<long>> EndsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken);

    /// <summary>The first offset of each partition that is still there, in the order of the question; 0 where there is no such topic yet.</summary>
    Task<IReadOnlyList<long>> BeginningsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken);
}
