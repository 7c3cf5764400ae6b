using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// The hot edge: raw records of several partitions, in batches that the caller owns and reuses. All members are called from one
/// thread (the polling thread), and the assignment handler is called on that thread, inside <see cref="TryReadBatch"/> or
/// <see cref="IDisposable.Dispose"/>. Within a partition records come in offset order; offsets may have gaps.
/// Keep calling <see cref="TryReadBatch"/> while partitions are paused, or the group puts this member out.
/// </summary>
public interface IRecordSource : IDisposable
{
    /// <summary>The partitions that are read now.</summary>
    IReadOnlyCollection<PartitionId> Assignment { get; }

    /// <summary>
    /// Clears the batch and fills it with what is there, waiting at most so long for the first record. True where it holds records or
    /// reached ends. It returns as soon as something is there: it does not wait for a full batch.
    /// </summary>
    /// <exception cref="OffsetOutOfRangeException">A start or seek offset is no longer (or not yet) in the log.</exception>
    /// <exception cref="Confluent.Kafka.KafkaException">The client can not go on. Errors that it mends itself (a lost broker) are not raised.</exception>
    bool TryReadBatch(RawRecordBatch into, TimeSpan wait);

    /// <summary>Reads these from these offsets instead of what was assigned before. Not in group mode.</summary>
    void Assign(IReadOnlyList<PartitionStart> starts);

    /// <summary>Joins the group; the handler gives the start offsets.</summary>
    void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler);

    /// <summary>No more records of these until resumed; what was read ahead of them is dropped and read again. Unassigned ones are ignored.</summary>
    void Pause(IReadOnlyCollection<PartitionId> partitions);

    void Resume(IReadOnlyCollection<PartitionId> partitions);

    /// <summary>The next record of this partition is the first at or after this offset. Unassigned ones are ignored.</summary>
    void Seek(PartitionId partition, long offset);

    /// <summary>
    /// Tells Kafka's group how far this reader is, for lag tools only (the store's position is the truth). Does not wait, and a failure
    /// to note it is not an error. Without a group nothing happens.
    /// </summary>
    void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets);
}

/// <summary>A partition and the next offset to read; <see cref="Beginning"/> and <see cref="End"/> are places too.</summary>
public readonly record struct PartitionStart(PartitionId Partition, long Offset)
{
    public const long Beginning = -2;
    public const long End = -1;
}

/// <summary>Told on the polling thread when partitions come and go; never with an empty list. An exception from it is thrown by TryReadBatch.</summary>
public interface IAssignmentHandler
{
    /// <summary>These are ours from now on. Answers where to start each (raise the epoch, read the position).</summary>
    IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions);

    /// <summary>These go to another member once this returns: the last moment to commit.</summary>
    void Revoked(IReadOnlyList<PartitionId> partitions);

    /// <summary>These may be another member's already: drop them, a commit would be refused. Default: as revoked.</summary>
    void Lost(IReadOnlyList<PartitionId> partitions) => Revoked(partitions);
}

/// <summary>The log does not hold the offset that was asked for: it was truncated, recreated, or kept for too short a time.</summary>
public sealed class OffsetOutOfRangeException(PartitionId partition, string detail)
    : Exception($"{partition}: the offset to read from is not in the log ({detail}). The topic was recreated or truncated, or its retention has dropped records before they were read.")
{
    public PartitionId Partition { get; } = partition;
}
