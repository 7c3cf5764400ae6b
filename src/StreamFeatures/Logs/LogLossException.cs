using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>Offsets that the store has not taken and the topic no longer has.</summary>
/// <param name="Partition">Which.</param>
/// <param name="FromOffset">The store's position: the first offset that is missing.</param>
/// <param name="ToOffset">The first offset that the topic still has.</param>
public sealed record LostRange(PartitionId Partition, long FromOffset, long ToOffset)
{
    public long Count => ToOffset - FromOffset;

    public override string ToString() => $"{Partition}: offsets {FromOffset} to {ToOffset - 1} ({Count:N0})";
}

/// <summary>Retention ran past the store's position: records are lost for the stream. Nothing goes on until somebody decides; the message names every range and what to run.</summary>
public sealed class LogLossException(IReadOnlyList<LostRange> losses, Exception? inner) : Exception(
    $"retention has dropped records that no state has: {string.Join("; ", losses)}; together {losses.Sum(l => l.Count):N0} offsets. If the archive has them, stop the workers and run "
    + "`streamml rebuild --all --yes`, which goes on from the archive's end without a gap. Where it has not, they are lost: `streamml reset --all --yes` lets every view start anew at the first offset that is still there. "
    + "Then raise the topic's retention.ms above the longest time that workers may stand still", inner)
{
    /// <summary>One per partition, in order.</summary>
    public IReadOnlyList<LostRange> Losses { get; } = losses;
}

/// <summary>A topic is not the one that the store's positions belong to.</summary>
public sealed class TopicChangedException(string message) : Exception(message);
