using System.Collections.Concurrent;
using StreamMl.Infrastructure.Kafka;

namespace StreamMl.StreamFeatures.Records;

/// <summary>Batches for the polling thread, reused. How many are out is bounded by the bytes that the worker lets be queued. Thread-safe.</summary>
internal sealed class BatchPool(int maxRecords = 8192, int maxBytes = 2 << 20)
{
    private readonly ConcurrentBag<SharedBatch> free = [];

    public SharedBatch Rent() => free.TryTake(out var batch) ? batch : new SharedBatch(new RawRecordBatch(maxRecords, maxBytes), this);

    public void Return(SharedBatch batch)
    {
        batch.Records.Clear();
        free.Add(batch);
    }
}
