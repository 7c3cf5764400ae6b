using System.Text;
using StreamMl.Shared.Log;

namespace StreamMl.Shared.Store;

/// <summary>Where a position begins that the store does not have.</summary>
/// <param name="index">Which of the claimed positions.</param>
/// <param name="isAnew">Somebody said that it may begin wherever the log does now: see <see cref="LogNames.AnewKey"/>.</param>
/// <returns>The first offset that counts.</returns>
public delegate long AbsentPosition(int index, bool isAnew);

/// <summary>Positions as they were claimed.</summary>
/// <param name="Positions">In the order of the keys, with one epoch.</param>
/// <param name="WereAbsent">Those that the store did not have.</param>
public sealed record ClaimedPositions(IReadOnlyList<PositionRecord> Positions, IReadOnlyList<bool> WereAbsent);

/// <summary>Taking over the positions of a log partition.</summary>
public static class PositionClaims
{
    /// <summary>Other owners that may claim in between before a claim gives up.</summary>
    public const int MaxAttempts = 16;

    /// <summary>As the other one, for a log that is known to have its beginning: an absent position becomes <see cref="PositionRecord.Start"/>.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, or others claimed <see cref="MaxAttempts"/> times in between.</exception>
    public static async Task<IReadOnlyList<PositionRecord>> ClaimAsync(
        this IStateStore store, PartitionId log, IReadOnlyList<string> positionKeys, CancellationToken cancellationToken) =>
        (await store.ClaimAsync(log, positionKeys, static (_, _) => 0, cancellationToken)).Positions;

    /// <summary>
    /// Raises the epoch of all the positions together by the same compare-and-set as a commit, so that any older owner's next commit is refused.
    /// An absent position begins where <paramref name="absent"/> says, and is written down so, with nothing counted yet.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The store is away, or others claimed <see cref="MaxAttempts"/> times in between.</exception>
    public static async Task<ClaimedPositions> ClaimAsync(
        this IStateStore store, PartitionId log, IReadOnlyList<string> positionKeys, AbsentPosition absent, CancellationToken cancellationToken)
    {
        var keys = new PackedBytes(positionKeys.Count * 2);
        foreach (var key in positionKeys)
            keys.Add(Encoding.UTF8.GetBytes(key));
        foreach (var key in positionKeys)
            keys.Add(Encoding.UTF8.GetBytes(LogNames.AnewKey(key)));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using var values = await store.ReadAsync(keys, cancellationToken);
            var claimed = Raise(values, positionKeys.Count, absent);
            var result = await store.CommitAsync(CommitOf(log, keys, values, claimed), cancellationToken);
            if (result.Status == CommitStatus.Committed)
                return new ClaimedPositions(claimed, [.. Enumerable.Range(0, claimed.Length).Select(i => !values.Has(i))]);
        }

        throw new StoreUnavailableException($"the positions of {log} changed {MaxAttempts} times while they were claimed; are two groups of workers writing the same store?", null);
    }

    private static PositionRecord[] Raise(StoreValues values, int count, AbsentPosition absent)
    {
        var positions = new PositionRecord[count];
        for (var i = 0; i < count; i++)
        {
            if (values.Has(i))
                positions[i] = PositionRecord.Decode(values[i]);
            else if (absent(i, values.Has(count + i)) is var first)
                positions[i] = PositionRecord.Start with { NextOffset = first, FromOffset = first };
        }

        var epoch = positions.Max(p => p.Epoch) + 1;
        return [.. positions.Select(p => p with { Epoch = epoch })];
    }

    private static StoreCommit CommitOf(PartitionId log, PackedBytes keys, StoreValues values, PositionRecord[] claimed)
    {
        var commit = new StoreCommit(log);
        for (var i = 0; i < claimed.Length; i++)
        {
            if (values.Has(claimed.Length + i))
                commit.DeletedKeys.Add(keys[claimed.Length + i]);
        }

        for (var i = 0; i < claimed.Length; i++)
        {
            commit.Expect(keys[i], values.ToArray(i));
            commit.Set(keys[i], claimed[i].Encode());
        }

        return commit;
    }
}
