using System.Collections.Concurrent;
using StreamMl.Infrastructure.Kafka;

namespace StreamMl.StreamFeatures.Records;

/// <summary>Batches for the polling thread, reused. How many are out is bounded by the bytes that the worker lets be queued. Thread-safe.</summary>
internal sealed class BatchPool(int maxRecords = 8192, int maxBytes = 2 << 20)
{
    // Not a ConcurrentBag: what that keeps per thread is freed when the bag is, and these know the pool that has it.
    private readonly ConcurrentStack<SharedBatch> free = new();

    public SharedBatch Rent() => free.TryPop(out var batch) ? batch : new SharedBatch(new RawRecordBatch(maxRecords, maxBytes), this);

    public void Return(SharedBatch batch)
    {
        batch.Records.Clear();
        free.Push(batch);
    }
}
