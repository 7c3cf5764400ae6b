using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;

namespace StreamMl.StreamFeatures.Commits;

/// <summary>The positions of a log partition as they were taken over, with its ledger and routes. Immutable.</summary>
/// <param name="Positions">The log's own first (past everything where another worker owns it), then one per view in the plan's order; all with the same epoch.</param>
/// <param name="Ledger">Counts up to the log's own position.</param>
/// <param name="Routes">Ends of what was copied into repartition topics up to the log's own position.</param>
internal sealed record Claim(IReadOnlyList<PositionRecord> Positions, LedgerCounts Ledger, IReadOnlyDictionary<string, long[]> Routes)
{
    // The log's own work (counting, routing, dead letters) is all done, as far as this worker is concerned.
    private static readonly PositionRecord OfAnother = PositionRecord.Start with { NextOffset = long.MaxValue };

    public long Epoch => Positions[0].Epoch;

    /// <summary>Where reading starts: the position of the view that is furthest behind. The offset is one of the log, 0 too: nothing stands for "wherever the log begins".</summary>
    public PositionRecord Least => Positions.MinBy(p => p.NextOffset)!;

    /// <summary>What the store had no position of, and what begins without offsets that the log no longer has: view versions, or the log itself. Empty: nothing.</summary>
    public IReadOnlyList<string> BegunLate { get; private init; } = [];

    /// <summary>As the other one, where the log has its beginning or the caller replays it from an archive that has.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, or does not stand still: it went back, or others claim the partition too.</exception>
    public static Task<Claim> TakeAsync(IStateStore store, LogPlan plan, PartitionId partition, CancellationToken cancellationToken) =>
        TakeAsync(store, plan, partition, LogEdge.Whole, held: null, cancellationToken);

    /// <param name="store">Has the positions.</param>
    /// <param name="plan">The log.</param>
    /// <param name="partition">Of it.</param>
    /// <param name="edge">Where it begins: asked before, and looked at again when it is read.</param>
    /// <param name="held">What this worker held of it until now; null: nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StoreUnavailableException">The store is away, or does not stand still: it went back, or others claim the partition too.</exception>
    public static async Task<Claim> TakeAsync(IStateStore store, LogPlan plan, PartitionId partition, LogEdge edge, Claim? held, CancellationToken cancellationToken)
    {
        var others = plan.OwnsLog ? 0 : 1;
        var names = plan.PositionKeys(partition);
        var (positions, wereAbsent) = await store.ClaimAsync(partition, names, (i, isAnew) => edge.StartOf(i, held?.Positions[i + others].FromOffset, isAnew), cancellationToken);
        // No older owner can write any more, so these stand still now; unless the store goes back in between, which their positions tell.
        using var values = await store.ReadAsync([LogNames.LedgerKey(partition), LogNames.RoutesKey(partition), .. names], cancellationToken);
        for (var i = 0; i < positions.Count; i++)
        {
            if (!values[i + 2].SequenceEqual(positions[i].Encode()))
                throw new StoreUnavailableException($"the positions of {partition} changed right after they were claimed; they are claimed again", null);
        }

        var claim = plan.OwnsLog
            ? new Claim(positions, LedgerRecord.Decode(values[0]), RoutesRecord.Decode(values[1]))
            : new Claim([OfAnother with { Epoch = positions[0].Epoch }, .. positions], default, new Dictionary<string, long[]>(StringComparer.Ordinal));
        return claim with { BegunLate = [.. plan.PositionNames.Where((_, i) => wereAbsent[i] && positions[i].FromOffset > 0)] };
    }
}
