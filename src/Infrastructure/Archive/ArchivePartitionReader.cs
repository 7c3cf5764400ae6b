using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Archive;

/// <summary>
/// Reads one partition of the archive in offset order. The file list is taken, and checked to be without holes and overlaps, when the reader
/// is made; files that an archiver completes later are not seen. A hole that was accepted when the archive was written is passed over: who computes with the records calls
/// <see cref="RequireNoLoss"/>. Thread-safe.
/// </summary>
public sealed class ArchivePartitionReader
{
    private readonly PartitionId log;
    private readonly string directory;

    /// <exception cref="InvalidDataException">Files overlap, or some are missing in between.</exception>
    public ArchivePartitionReader(ArchiveLayout layout, PartitionId log)
    {
        this.log = log;
        directory = layout.PartitionDirectory(log);
        (Files, Losses) = (layout.Files(log), layout.Losses(log));
        for (var i = 1; i < Files.Count; i++)
            CheckNeighbours(Files[i - 1], Files[i]);
    }

    public IReadOnlyList<ArchiveFile> Files { get; }

    /// <summary>Holes that were accepted when the archive was written.</summary>
    public IReadOnlyList<ArchiveLoss> Losses { get; }

    /// <summary>The first offset that is archived; 0 where nothing is.</summary>
    public long FirstOffset => Files.Count > 0 ? Files[0].FirstOffset : 0;

    /// <summary>The offset behind the last that is archived.</summary>
    public long EndOffset => Files.Count > 0 ? Files[^1].LastOffset + 1 : 0;

    /// <summary>Checks that nothing is missing that was accepted as lost: a state or value is a function of all records before it.</summary>
    /// <exception cref="InvalidDataException">It names what is missing, and what can be done.</exception>
    public void RequireNoLoss()
    {
        if (Losses.Count == 0)
            return;
        throw new InvalidDataException(
            $"the archive of {log} in {directory} has a hole that was accepted when it was written (`streamml archive --accept-loss`): {string.Join("; ", Losses)}. The topic had dropped these offsets before they "
            + "were archived, and no state, value or ledger can be computed across them. If another archive of this topic has them, copy its files there and delete the .lost file; else what is before the hole can be "
            + $"read from a copy of the archive without the files of {log} from offset {Losses[0].FirstOffset} on and without its .lost files");
    }

    /// <summary>Checks that [fromOffset, toOffset) is archived.</summary>
    /// <exception cref="InvalidDataException">It says which offsets are missing.</exception>
    public void Require(long fromOffset, long toOffset)
    {
        if (fromOffset >= toOffset)
            return;
        if (Files.Count == 0)
            throw new InvalidDataException($"{log} is not archived: {directory} has no .arrow file; offsets {fromOffset} to {toOffset - 1} are wanted. Run the archiver over this log first");
        if (fromOffset < FirstOffset)
            throw new InvalidDataException($"the archive of {log} starts at offset {FirstOffset}: offsets {fromOffset} to {FirstOffset - 1} are missing in {directory}. The archiver started after the log's retention had dropped them; restore them from a copy of the archive");
        if (toOffset > EndOffset)
            throw new InvalidDataException($"the archive of {log} ends before offset {EndOffset}: offsets {EndOffset} to {toOffset - 1} are missing in {directory}. Let the archiver catch up");
        if (Losses.Any(l => l.FirstOffset < toOffset && l.LastOffset >= fromOffset))
            RequireNoLoss();
    }

    /// <summary>
    /// The records with fromOffset ≤ offset &lt; toOffset, a record batch at a time. Dispose each chunk when done with it; a file stays
    /// mapped while one of its chunks is alive, so chunks may be handed to other threads.
    /// </summary>
    public IEnumerable<ArchiveChunk> Read(long fromOffset = 0, long toOffset = long.MaxValue)
    {
        foreach (var file in Files)
        {
            if (file.LastOffset < fromOffset || file.FirstOffset >= toOffset)
                continue;
            using var mapped = new SharedFile(file.Path);
            using var reader = mapped.OpenArrow();
            while (reader.ReadNextRecordBatch() is { } batch)
            {
                mapped.Retain();
                var chunk = new ArchiveChunk(batch, fromOffset, toOffset, mapped);
                if (chunk.Count > 0)
                    yield return chunk;
                else
                    chunk.Dispose();
            }
        }
    }

    private void CheckNeighbours(ArchiveFile left, ArchiveFile right)
    {
        var expected = left.LastOffset + 1;
        foreach (var loss in Losses.Where(l => l.FirstOffset == expected))
            expected = loss.LastOffset + 1;
        if (right.FirstOffset > expected)
            throw new InvalidDataException($"the archive of {log} has a hole: offsets {expected} to {right.FirstOffset - 1} are missing between {left.Path} and {right.Path}. Restore the file from a copy, or remove the later files so that the archiver reads them again");
        if (right.FirstOffset < expected)
            throw new InvalidDataException($"the archive of {log} has offsets {right.FirstOffset} to {Math.Min(left.LastOffset, right.LastOffset)} twice, in {left.Path} and {right.Path}: two archivers wrote it. Remove one of the two files and those behind it");
    }
}
