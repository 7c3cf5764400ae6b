using StreamMl.Shared.Log;

namespace StreamMl.Shared.Store;

/// <summary>
/// Looks into the store by name: for people and for error messages, never on a hot path. Every look is bounded: on a large store it may miss what
/// is there. Thread-safe.
/// </summary>
public interface IStoreDirectory
{
    /// <summary>The definition hashes (8 hex digits) under which this view has a position in this log partition.</summary>
    Task<IReadOnlyList<string>> HashesOfAsync(PartitionId log, string view, CancellationToken cancellationToken);

    /// <summary>Some entity keys that have a state in this log partition, at most <paramref name="limit"/>, in no order.</summary>
    Task<IReadOnlyList<byte[]>> EntitiesOfAsync(PartitionId log, string view, string viewHash8, int limit, CancellationToken cancellationToken);
}
