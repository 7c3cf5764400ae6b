namespace StreamMl.Shared.Store;

/// <summary>
/// The key-value store of states, positions and ledgers. Thread-safe. Errors that a retry may heal (no connection, time-out) are
/// <see cref="StoreUnavailableException"/>; anything else that the store answers is a fault of set-up and says what to do.
/// </summary>
public interface IStateStore
{
    /// <summary>
    /// Applies the commit whole or not at all; no reader of the same partition's keys sees half of it. Never throws for a lost answer: that is
    /// <see cref="CommitStatus.Ambiguous"/>.
    /// </summary>
    /// <exception cref="StoreUnavailableException">It was certainly not applied.</exception>
    Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken);

    /// <summary>
    /// Reads any number of keys in one round trip per shard. Keys with one hash tag are read at one moment, so a position read together with
    /// states is theirs. The keys must not change until the task ends.
    /// </summary>
    Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken);
}

/// <summary>The store cannot be reached or did not answer in time; nothing is known to be wrong with the request.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner) : Exception(message, inner);
