using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace StreamMl.Infrastructure.Archive;

/// <summary>Records on their way into one Arrow record batch. The built batch shares the builder's buffers: write it, then <see cref="Clear"/>.</summary>
internal sealed class ArchiveBatchBuilder
{
    private readonly List<long> offsets = [];
    private readonly List<long> arrivals = [];
    private readonly List<int> sourcePartitions = [];
    private readonly List<long> sourceOffsets = [];
    private readonly BinaryColumn keys = new();
    private readonly BinaryColumn values = new();

    public int Count => offsets.Count;

    public long Bytes => keys.Bytes + (long)values.Bytes;

    public void Append(long offset, long arrivalUs, ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value, bool hasValue, int sourcePartition, long sourceOffset)
    {
        offsets.Add(offset);
        arrivals.Add(arrivalUs);
        keys.Append(key, hasKey);
        values.Append(value, hasValue);
        sourcePartitions.Add(sourcePartition);
        sourceOffsets.Add(sourcePartition >= 0 ? sourceOffset : 0);
    }

    public RecordBatch Build()
    {
        var sources = new ValidityBits(Count);
        for (var i = 0; i < Count; i++)
            sources.Set(i, sourcePartitions[i] >= 0);
        return new RecordBatch(ArchiveSchema.Arrow,
        [
            new Int64Array(Fixed<long>(Int64Type.Default, offsets, null)),
            new TimestampArray(Fixed<long>(ArchiveSchema.Arrow.GetFieldByIndex(ArchiveSchema.Arrival).DataType, arrivals, null)),
            keys.Build(),
            values.Build(),
            new Int32Array(Fixed<int>(Int32Type.Default, sourcePartitions, sources)),
            new Int64Array(Fixed<long>(Int64Type.Default, sourceOffsets, sources)),
        ], Count);
    }

    public void Clear()
    {
        offsets.Clear();
        arrivals.Clear();
        sourcePartitions.Clear();
        sourceOffsets.Clear();
        keys.Clear();
        values.Clear();
    }

    private static ArrayData Fixed<T>(IArrowType type, List<T> values, ValidityBits? validity)
        where T : struct
    {
        var bytes = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(values)).ToArray();
        return new ArrayData(type, values.Count, validity?.NullCount ?? 0, 0, [validity?.ToBuffer() ?? ArrowBuffer.Empty, new ArrowBuffer(bytes)]);
    }

    private sealed class BinaryColumn
    {
        private readonly List<int> starts = [0];
        private readonly List<bool> present = [];
        private byte[] bytes = new byte[1 << 16];

        public int Bytes => starts[^1];

        public void Append(ReadOnlySpan<byte> value, bool isPresent)
        {
            var end = Bytes + value.Length;
            if (end > bytes.Length)
                System.Array.Resize(ref bytes, Math.Max(end, bytes.Length * 2));
            value.CopyTo(bytes.AsSpan(Bytes));
            starts.Add(end);
            present.Add(isPresent);
        }

        public BinaryArray Build()
        {
            var validity = new ValidityBits(present.Count);
            for (var i = 0; i < present.Count; i++)
                validity.Set(i, present[i]);
            var offsets = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(starts)).ToArray();
            return new BinaryArray(BinaryType.Default, present.Count, new ArrowBuffer(offsets), new ArrowBuffer(bytes.AsMemory(0, Bytes)), validity.ToBuffer(), validity.NullCount);
        }

        public void Clear()
        {
            starts.RemoveRange(1, starts.Count - 1);
            present.Clear();
        }
    }
}
