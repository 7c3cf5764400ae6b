using System.Collections.Concurrent;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Replay;

/// <summary>What was sent and what of it was delivered, by partition. Thread-safe: one thread sends, the client's threads report, in about the order of offsets.</summary>
internal sealed class SentLedger : IDeliveryListener
{
    private readonly ConcurrentDictionary<PartitionId, Cell> cells = new();

    public void Sending(PartitionId target) => Interlocked.Increment(ref Of(target).Sent);

    public void Delivered(PartitionId target, long offset)
    {
        var cell = Of(target);
        // The end first: whoever sees the record as delivered must see its offset.
        for (var end = Volatile.Read(ref cell.End); end <= offset;)
            end = Interlocked.CompareExchange(ref cell.End, offset + 1, end) is var seen && seen == end ? offset + 1 : seen;
        Interlocked.Increment(ref cell.Delivered);
    }

    // The producer remembers the failure and throws it at the next call; what failed stays in flight here, so the gate stays shut.
    public void Failed(Exception error)
    {
    }

    public SentTo At(PartitionId target)
    {
        if (!cells.TryGetValue(target, out var cell))
            return default;
        var delivered = Interlocked.Read(ref cell.Delivered);
        return new SentTo(Interlocked.Read(ref cell.Sent) - delivered, Volatile.Read(ref cell.End));
    }

    private Cell Of(PartitionId target) => cells.GetOrAdd(target, static _ => new Cell());

    private sealed class Cell
    {
        public long Sent;
        public long Delivered;
        public long End;
    }
}
