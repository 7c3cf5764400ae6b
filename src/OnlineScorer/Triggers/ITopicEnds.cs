using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Tells how far topics reach. Thread-safe.</summary>
public interface ITopicEnds
{
    /// <summary>One past the last record of each partition at this moment, in the order of the question; 0 where there is no such topic yet.</summary>
    Task<IReadOnlyList<long>> EndsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken);
}
