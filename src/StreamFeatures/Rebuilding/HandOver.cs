using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>An archive and a topic do not meet, so that a rebuilt store could not go on without a gap. The message says which offsets are missing and what to do.</summary>
public sealed class HandOverException(string message) : InvalidOperationException(message);

/// <summary>Whether the stream can go on where an archive ends. Pure.</summary>
internal static class HandOver
{
    /// <param name="partition">Which.</param>
    /// <param name="archivedFrom">The first archived offset.</param>
    /// <param name="archivedTo">One past the last archived offset; 0 where nothing is archived.</param>
    /// <param name="low">The first offset that the topic still has.</param>
    /// <param name="high">One past the topic's last offset.</param>
    /// <exception cref="HandOverException">There is a gap, or the topic is another one.</exception>
    public static void Check(PartitionId partition, long archivedFrom, long archivedTo, long low, long high)
    {
        if (archivedFrom > 0)
        {
            throw new HandOverException(
                $"the archive of {partition} starts at offset {archivedFrom}: the {archivedFrom} offsets 0 to {archivedFrom - 1} are in no state that it could give. "
                + "Restore the files before from a copy of the archive");
        }

        if (low > archivedTo)
        {
            throw new HandOverException(
                $"the archive of {partition} ends before offset {archivedTo} and the topic starts at offset {low}: "
                + $"the {low - archivedTo} offsets {archivedTo} to {low - 1} are in neither. Restore the archive's later files from a copy; "
                + $"where there is none they are lost, and `streamml reset` lets views start anew at offset {low}");
        }

        if (high < archivedTo)
        {
            throw new HandOverException(
                $"the archive of {partition} has offsets up to {archivedTo - 1} and the topic ends before offset {high}: the topic was recreated or truncated since. "
                + "Replay the archive's records into a new topic, or archive the new topic into another directory and `streamml reset --all`");
        }
    }
}
