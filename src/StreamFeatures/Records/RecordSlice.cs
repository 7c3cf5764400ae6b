using StreamMl.Infrastructure.Kafka;

namespace StreamMl.StreamFeatures.Records;

/// <summary>
/// Consecutive records of one partition within a shared batch. Whoever is done with it calls <see cref="Release"/> once; the batch goes back
/// when all its slices have.
/// </summary>
/// <param name="Batch">Where the records are.</param>
/// <param name="First">First row.</param>
/// <param name="Count">Rows.</param>
/// <param name="Generation">The partition's seek count when it was read: slices of an earlier one are void.</param>
internal readonly record struct RecordSlice(SharedBatch Batch, int First, int Count, int Generation)
{
    public RawRecordBatch Records => Batch.Records;

    /// <summary>A share of the batch's bytes, for back-pressure.</summary>
    public long Bytes => Batch.Records.Count == 0 ? 0 : (long)Batch.Records.Bytes * Count / Batch.Records.Count;

    public RecordSlice Part(int offset, int count) => this with { First = First + offset, Count = count };

    public void Release() => Batch.Release();
}

/// <summary>A batch of the record source with a count of the partitions that still use it. Thread-safe.</summary>
internal sealed class SharedBatch(RawRecordBatch records, BatchPool pool)
{
    private int users;

    public RawRecordBatch Records { get; } = records;

    public void Begin(int count) => Volatile.Write(ref users, count);

    public void Release()
    {
        if (Interlocked.Decrement(ref users) == 0)
            pool.Return(this);
    }
}
