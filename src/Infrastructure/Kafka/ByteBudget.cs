using System.Collections.Concurrent;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// Bounds how many bytes the producers of a partition may be ahead of its slowest declared reader, because the embedded Kafka
/// drops what nobody has read yet beyond 5 MiB. A producer reserves before it produces and reports the offset when it is
/// delivered; a reader releases what it will never read again (what it has committed). Topics without a declared reader are
/// bounded in what is under way only. Thread-safe; waiting producers are served in order.
/// </summary>
public sealed class ByteBudget
{
    /// <summary>3.5 MB: the 5 MiB of the mock cluster less one batch in flight and the framing.</summary>
    public const long DefaultBytesPerPartition = 3_500_000;

    private const long LeastBytesPerPartition = 65_536;
    private readonly ConcurrentDictionary<PartitionId, PartitionBudget> partitions = new();
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<BudgetReader, byte>> readers = new(StringComparer.Ordinal);

    public ByteBudget(long bytesPerPartition = DefaultBytesPerPartition)
    {
        if (bytesPerPartition is < LeastBytesPerPartition or > DefaultBytesPerPartition)
        {
            throw new ArgumentOutOfRangeException(nameof(bytesPerPartition), bytesPerPartition,
                $"A partition's budget lies between {LeastBytesPerPartition} and {DefaultBytesPerPartition} bytes: the embedded Kafka keeps 5 MiB.");
        }

        BytesPerPartition = bytesPerPartition;
    }

    public long BytesPerPartition { get; }

    /// <summary>
    /// Declares a reader of a topic, before anything is produced to it: from now on no partition runs further ahead of it than the
    /// budget. Dispose it when it stops for good.
    /// </summary>
    public BudgetReader AddReader(string topic, string name)
    {
        var reader = new BudgetReader(this, topic, name);
        readers.GetOrAdd(topic, _ => new())[reader] = 0;
        return reader;
    }

    /// <summary>Waits until so many bytes more fit. A record larger than the whole budget passes alone.</summary>
    public ValueTask ReserveAsync(PartitionId partition, int bytes, CancellationToken cancellationToken) =>
        Of(partition).ReserveAsync(bytes, cancellationToken);

    /// <summary>Reserves if it can be done now.</summary>
    public bool TryReserve(PartitionId partition, int bytes) => Of(partition).TryReserve(bytes);

    /// <summary>Reserved bytes now stand at this offset. Call about in the order of offsets.</summary>
    public void Delivered(PartitionId partition, long offset, int bytes) => Of(partition).Delivered(offset, bytes, LeastPosition(partition));

    /// <summary>Reserved bytes were not delivered.</summary>
    public void Failed(PartitionId partition, int bytes) => Of(partition).Failed(bytes);

    /// <summary>Bytes that are reserved or delivered and not yet released.</summary>
    public long HeldBytes(PartitionId partition) => Of(partition).Held;

    /// <summary>Who holds a topic back and where it stands, for a message.</summary>
    public string Describe(PartitionId partition) =>
        $"{partition}: {HeldBytes(partition)} of {BytesPerPartition} bytes held; readers: "
        + (readers.TryGetValue(partition.Topic, out var all) && !all.IsEmpty
            ? string.Join(", ", all.Keys.Select(r => $"{r.Name} at {r.PositionOf(partition.Partition)}"))
            : "none");

    /// <summary>What no declared reader will read again lies before this offset; <see cref="long.MaxValue"/> where there is no reader.</summary>
    public long LeastPosition(PartitionId partition)
    {
        long least = long.MaxValue;
        if (!readers.TryGetValue(partition.Topic, out var all)) return least;
        foreach (var (reader, _) in all) least = Math.Min(least, reader.PositionOf(partition.Partition));
        return least;
    }

    internal void Release(PartitionId partition) => Of(partition).Release(LeastPosition(partition));

    internal void Remove(BudgetReader reader)
    {
        if (readers.TryGetValue(reader.Topic, out var all)) all.TryRemove(reader, out _);
        foreach (var partition in partitions.Keys)
        {
            if (partition.Topic == reader.Topic) Release(partition);
        }
    }

    private PartitionBudget Of(PartitionId partition) => partitions.GetOrAdd(partition, static (_, limit) => new PartitionBudget(limit), BytesPerPartition);
}

/// <summary>One declared reader of a topic. Thread-safe.</summary>
public sealed class BudgetReader : IDisposable
{
    private readonly ByteBudget budget;
    private readonly ConcurrentDictionary<int, long> positions = new();

    internal BudgetReader(ByteBudget budget, string topic, string name)
    {
        this.budget = budget;
        Topic = topic;
        Name = name;
    }

    public string Topic { get; }

    public string Name { get; }

    /// <summary>Everything before this offset will not be read again by this reader. A lower offset than before is ignored.</summary>
    public void Release(int partition, long nextOffset)
    {
        positions.AddOrUpdate(partition, static (_, next) => next, static (_, old, next) => Math.Max(old, next), nextOffset);
        budget.Release(new PartitionId(Topic, partition));
    }

    public void Dispose() => budget.Remove(this);

    internal long PositionOf(int partition) => positions.GetValueOrDefault(partition);
}
