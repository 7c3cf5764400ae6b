using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>
/// What source partitions have sent to repartition and dead-letter partitions already: per target and source partition the last source offset. Because
/// one source partition's records reach one target in their order, everything up to that offset which belongs there is there. Not thread-safe while
/// it is filled; thread-safe afterwards.
/// </summary>
internal sealed class DeliveredMarks
{
    private static readonly byte[] SourcePosition = Encoding.ASCII.GetBytes(LogNames.SourcePositionHeader);
    private static readonly byte[] SourcePartition = "source-partition"u8.ToArray();
    private static readonly byte[] SourceOffset = "source-offset"u8.ToArray();

    private readonly Dictionary<(PartitionId Target, int SourcePartition), (long SourceOffset, long End)> marks = [];

    /// <summary>The target has, at <paramref name="offset"/>, what the source partition had at <paramref name="sourceOffset"/>.</summary>
    public void Note(PartitionId target, long offset, int sourcePartition, long sourceOffset)
    {
        ref var mark = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(marks, (target, sourcePartition), out var known);
        if (!known || sourceOffset > mark.SourceOffset)
            mark = (sourceOffset, offset + 1);
    }

    /// <summary>Whether the target has what the source partition sends of this offset; <paramref name="end"/> is then one past the last that it has from there.</summary>
    public bool Has(PartitionId target, int sourcePartition, long sourceOffset, out long end)
    {
        var known = marks.TryGetValue((target, sourcePartition), out var mark) && sourceOffset <= mark.SourceOffset;
        end = mark.End;
        return known;
    }

    /// <summary>Where a repartitioned record or a dead letter came from.</summary>
    public static bool TryReadOrigin(Func<byte[], byte[]?> header, out int sourcePartition, out long sourceOffset)
    {
        (sourcePartition, sourceOffset) = (-1, -1);
        if (header(SourcePosition) is { Length: 12 } packed)
        {
            (sourcePartition, sourceOffset) = (BinaryPrimitives.ReadInt32BigEndian(packed), BinaryPrimitives.ReadInt64BigEndian(packed.AsSpan(4)));
            return true;
        }

        return header(SourcePartition) is { } partition && header(SourceOffset) is { } offset
            && int.TryParse(partition, CultureInfo.InvariantCulture, out sourcePartition) && long.TryParse(offset, CultureInfo.InvariantCulture, out sourceOffset);
    }
}
