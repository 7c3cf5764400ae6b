using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Archive;

/// <summary>Offsets that a topic lost before they were archived, written down in the archive by somebody's decision. Both included.</summary>
public sealed record ArchiveLoss(PartitionId Partition, long FirstOffset, long LastOffset)
{
    public long Count => LastOffset - FirstOffset + 1;

    public override string ToString() => $"{Partition}: offsets {FirstOffset} to {LastOffset} ({Count:N0})";
}
