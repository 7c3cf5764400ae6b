using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Commits;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>
/// Where a log partition begins at the moment, and whether more of it was, or can be, in states. Decides where a position starts that the store does not have, and what a
/// claim has lost. Immutable.
/// </summary>
/// <param name="First">The first offset that the log still has.</param>
/// <param name="IsKnownBefore">
/// By position, in the order of <see cref="LogPlan.PositionKeys"/>: an archive has offsets before <paramref name="First"/>, or the log's other partitions stand in the store with all of
/// theirs. Empty: nobody knows of any.
/// </param>
internal sealed record LogEdge(long First, IReadOnlyList<bool> IsKnownBefore)
{
    /// <summary>The log has all that it ever had.</summary>
    public static LogEdge Whole { get; } = new(0, []);

    /// <summary>
    /// Where a position starts that the store does not have. A start that <see cref="LossOf(PartitionId, long)"/> then refuses is written down all the same: so that the next one is refused as well,
    /// whoever makes it, until somebody decides.
    /// </summary>
    /// <param name="position">Which, in the order of <see cref="LogPlan.PositionKeys"/>.</param>
    /// <param name="heldFrom">Where its counting had begun, if this worker held it and the store lost it; null: it is claimed for the first time.</param>
    /// <param name="isAnew">Somebody said to begin anew: see <see cref="LogNames.AnewKey"/>.</param>
    public long StartOf(int position, long? heldFrom, bool isAnew)
    {
        if (isAnew || First == 0)
            return First;
        return heldFrom ?? (position < IsKnownBefore.Count && IsKnownBefore[position] ? 0 : First);
    }

    /// <summary>What positions should count and the log no longer has; null: nothing.</summary>
    public LostRange? LossOf(PartitionId partition, Claim claim) => LossOf(partition, claim.Least.NextOffset);

    /// <param name="partition">Which.</param>
    /// <param name="nextOffset">The first offset that is in no state, 0 too.</param>
    public LostRange? LossOf(PartitionId partition, long nextOffset) => nextOffset < First ? new LostRange(partition, nextOffset, First) : null;
}
