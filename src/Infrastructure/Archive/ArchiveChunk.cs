using Apache.Arrow;

namespace StreamMl.Infrastructure.Archive;

/// <summary>
/// Some records of a log partition in offset order, straight from the mapped file: the spans are valid until the chunk is disposed, and
/// thread-safe for reading. <see cref="First"/> and <see cref="Count"/> narrow it to the offsets that were asked for.
/// </summary>
public sealed class ArchiveChunk : IDisposable
{
    private readonly RecordBatch batch;
    private readonly IDisposable? file;
    private readonly Int64Array offsets;
    private readonly TimestampArray arrivals;
    private readonly BinaryArray keys;
    private readonly BinaryArray values;
    private readonly Int32Array sourcePartitions;
    private readonly Int64Array sourceOffsets;

    internal ArchiveChunk(RecordBatch batch, long fromOffset, long toOffset, IDisposable? file)
    {
        this.batch = batch;
        this.file = file;
        offsets = (Int64Array)batch.Column(ArchiveSchema.Offset);
        arrivals = (TimestampArray)batch.Column(ArchiveSchema.Arrival);
        keys = (BinaryArray)batch.Column(ArchiveSchema.Key);
        values = (BinaryArray)batch.Column(ArchiveSchema.Value);
        sourcePartitions = (Int32Array)batch.Column(ArchiveSchema.SourcePartition);
        sourceOffsets = (Int64Array)batch.Column(ArchiveSchema.SourceOffset);
        var all = offsets.Values;
        First = LowerBound(all, fromOffset);
        Count = LowerBound(all, toOffset) - First;
    }

    /// <summary>Index of the first record.</summary>
    public int First { get; }

    /// <summary>Records from <see cref="First"/> on.</summary>
    public int Count { get; }

    /// <summary>Offsets of the records, <see cref="Count"/> of them.</summary>
    public ReadOnlySpan<long> Offsets => offsets.Values.Slice(First, Count);

    /// <summary>Record timestamps in microseconds.</summary>
    public ReadOnlySpan<long> ArrivalTimesUs => arrivals.Values.Slice(First, Count);

    /// <summary>Key of the i-th record; empty where it is null.</summary>
    public ReadOnlySpan<byte> Key(int i) => Bytes(keys, i);

    /// <summary>Value of the i-th record; empty where it is null.</summary>
    public ReadOnlySpan<byte> Value(int i) => Bytes(values, i);

    public bool HasKey(int i) => keys.IsValid(First + i);

    public bool HasValue(int i) => values.IsValid(First + i);

    /// <summary>The partition that a repartitioned record came from; -1 on a source topic.</summary>
    public int SourcePartition(int i) => sourcePartitions.IsValid(First + i) ? sourcePartitions.Values[First + i] : -1;

    public long SourceOffset(int i) => sourceOffsets.Values[First + i];

    public void Dispose()
    {
        batch.Dispose();
        file?.Dispose();
    }

    private ReadOnlySpan<byte> Bytes(BinaryArray array, int i)
    {
        var starts = array.ValueOffsets;
        var start = starts[First + i];
        return array.Values[start..starts[First + i + 1]];
    }

    private static int LowerBound(ReadOnlySpan<long> ascending, long value)
    {
        var at = ascending.BinarySearch(value);
        return at < 0 ? ~at : at;
    }
}
