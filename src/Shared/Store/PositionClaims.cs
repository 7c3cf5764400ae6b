using System.Text;
using StreamMl.Shared.Log;

namespace StreamMl.Shared.Store;

/// <summary>Taking over the positions of a log partition.</summary>
public static class PositionClaims
{
    /// <summary>Other owners that may claim in between before a claim gives up.</summary>
    public const int MaxAttempts = 16;

    /// <summary>
    /// Raises the epoch of all the positions together by the same compare-and-set as a commit, so that any older owner's next commit is refused.
    /// An absent position becomes <see cref="PositionRecord.Start"/>. Returns the positions as they now stand, in the order of the keys.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The store is away, or others claimed <see cref="MaxAttempts"/> times in between.</exception>
    public static async Task<IReadOnlyList<PositionRecord>> ClaimAsync(
        this IStateStore store, PartitionId log, IReadOnlyList<string> positionKeys, CancellationToken cancellationToken)
    {
        var keys = new PackedBytes(positionKeys.Count);
        foreach (var key in positionKeys)
            keys.Add(Encoding.UTF8.GetBytes(key));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using var values = await store.ReadAsync(keys, cancellationToken);
            var (commit, claimed) = Raise(log, keys, values);
            var result = await store.CommitAsync(commit, cancellationToken);
            if (result.Status == CommitStatus.Committed)
                return claimed;
        }

        throw new StoreUnavailableException($"the positions of {log} changed {MaxAttempts} times while they were claimed; are two groups of workers writing the same store?", null);
    }

    private static (StoreCommit Commit, PositionRecord[] Claimed) Raise(PartitionId log, PackedBytes keys, StoreValues values)
    {
        var stored = new PositionRecord?[keys.Count];
        for (var i = 0; i < keys.Count; i++)
            stored[i] = values.Has(i) ? PositionRecord.Decode(values[i]) : null;
        var epoch = stored.Max(p => p?.Epoch ?? 0) + 1;
        var claimed = stored.Select(p => (p ?? PositionRecord.Start) with { Epoch = epoch }).ToArray();
        var commit = new StoreCommit(log);
        for (var i = 0; i < keys.Count; i++)
        {
            commit.Expect(keys[i], values.ToArray(i));
            commit.Set(keys[i], claimed[i].Encode());
        }

        return (commit, claimed);
    }
}
