using System.Buffers.Binary;
using System.Text;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>The archived records of one log partition as the stream would have read them: the same bytes, offsets, timestamps and headers. Not thread-safe.</summary>
internal sealed class ArchiveReplay(ArchivePartitionReader reader, PartitionId partition)
{
    private const int SliceRecords = 4096;

    private static readonly byte[] SourcePosition = Encoding.ASCII.GetBytes(LogNames.SourcePositionHeader);

    private readonly BatchPool pool = new();

    public long EndOffset => reader.EndOffset;

    /// <summary>From an offset on, a few thousand records at a time; release each slice when done with it.</summary>
    public IEnumerable<RecordSlice> Read(long fromOffset)
    {
        foreach (var chunk in reader.Read(fromOffset))
        {
            using (chunk)
            {
                for (var first = 0; first < chunk.Count; first += SliceRecords)
                    yield return Copy(chunk, first, Math.Min(SliceRecords, chunk.Count - first));
            }
        }
    }

    private RecordSlice Copy(ArchiveChunk chunk, int first, int count)
    {
        var batch = pool.Rent();
        Span<byte> origin = stackalloc byte[12];
        for (var i = first; i < first + count; i++)
        {
            batch.Records.Append(partition, chunk.Offsets[i], chunk.ArrivalTimesUs[i], chunk.Key(i), chunk.HasKey(i), chunk.Value(i), chunk.HasValue(i));
            if (chunk.SourcePartition(i) < 0)
                continue;
            BinaryPrimitives.WriteInt32BigEndian(origin, chunk.SourcePartition(i));
            BinaryPrimitives.WriteInt64BigEndian(origin[4..], chunk.SourceOffset(i));
            batch.Records.AppendHeader(SourcePosition, origin);
        }

        batch.Begin(1);
        return new RecordSlice(batch, 0, count, 0);
    }
}
