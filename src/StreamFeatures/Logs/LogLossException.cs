using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>Offsets that the store has not taken and the topic no longer has.</summary>
/// <param name="Partition">Which.</param>
/// <param name="FromOffset">The store's position: the first offset that is missing. 0 where it has none any more.</param>
/// <param name="ToOffset">The first offset that the topic still has.</param>
public sealed record LostRange(PartitionId Partition, long FromOffset, long ToOffset)
{
    public long Count => ToOffset - FromOffset;

    public override string ToString() => $"{Partition}: offsets {FromOffset} to {ToOffset - 1} ({Count:N0})";
}

/// <summary>
/// The topic begins after a position of the store: records are lost for the stream, because retention ran past it, or because the store lost it. Nothing goes on until somebody
/// decides; the message names every range and what to run.
/// </summary>
/// <param name="losses">One per partition, in order.</param>
/// <param name="isBuiltBeside">The positions are those of versions that are built beside a worker (<c>streamml rollout</c>).</param>
/// <param name="inner">What brought it up, or null.</param>
public sealed class LogLossException(IReadOnlyList<LostRange> losses, bool isBuiltBeside, Exception? inner)
    : Exception(Text(losses, isBuiltBeside ? RemedyBeside : Remedy), inner)
{
    private const string Remedy =
        "If the archive has them, stop the workers and run `streamml rebuild --all --yes` (`streamml rebuild VIEW --yes` where one view alone lacks them), which goes on from the archive's end "
        + "without a gap. Where it has not, they are lost: `streamml reset --all --yes` (or `streamml reset VIEW --yes`) lets views start anew at the first offset that is still there. "
        + "Then raise the topic's retention.ms above the longest time that workers may stand still";

    private const string RemedyBeside =
        "The versions that are built here would not know them: run the rollout again with an archive that has them (`--archive`)";

    /// <summary>One per partition, in order.</summary>
    public IReadOnlyList<LostRange> Losses { get; } = losses;

    private static string Text(IReadOnlyList<LostRange> losses, string remedy) =>
        $"the topic no longer has records that no state of the store has: {string.Join("; ", losses)}; together {losses.Sum(l => l.Count):N0} offsets. {remedy}";
}

/// <summary>A topic is not the one that the store's positions belong to.</summary>
public sealed class TopicChangedException(string message) : Exception(message);
