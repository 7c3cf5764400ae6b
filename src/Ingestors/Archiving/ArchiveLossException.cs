using StreamMl.Infrastructure.Archive;

namespace StreamMl.Ingestors.Archiving;

/// <summary>A topic has dropped records that its archive does not have. Nothing goes on until somebody decides; the message names every range and what to run.</summary>
public sealed class ArchiveLossException(IReadOnlyList<ArchiveLoss> losses, Exception? inner) : Exception(
    $"the topic no longer has records that the archive does not have either: {string.Join("; ", losses)}; together {losses.Sum(l => l.Count):N0} offsets. The archive would have a hole there: nothing can be "
    + "rebuilt, backfilled or checked across it. If another archive of this topic has them, copy its files into this one and start again. Where none has, they are lost: `streamml archive --accept-loss` "
    + "(Archive__AcceptLoss=true) writes the hole down and goes on at the first offset that is still there, and whatever reads the archive names the hole. Then raise the topic's retention.ms above "
    + "the longest time that the archiver may stand still", inner)
{
    /// <summary>One per partition, in order.</summary>
    public IReadOnlyList<ArchiveLoss> Losses { get; } = losses;
}
