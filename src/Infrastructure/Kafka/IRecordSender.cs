using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// Sends raw records in order and without gaps, bounded in bytes: what is delivered of a partition is all that was sent to it up to some record. A record that could not be
/// delivered makes every later call fail. For one caller at a time.
/// </summary>
public interface IRecordSender : IAsyncDisposable
{
    /// <summary>Returns once the record is handed over, not once it is delivered. Its bytes are copied, and must not change until then.</summary>
    /// <param name="target">Topic and partition.</param>
    /// <param name="key">The record's key; null for none.</param>
    /// <param name="value">The record's value.</param>
    /// <param name="timestampUs">Arrival time; Kafka keeps its milliseconds.</param>
    /// <param name="headers">Headers, or null.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <exception cref="Confluent.Kafka.KafkaException">This or an earlier record could not be delivered.</exception>
    ValueTask SendAsync(
        PartitionId target, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, IReadOnlyList<KeyValuePair<string, byte[]>>? headers, CancellationToken cancellationToken);

    /// <summary>Everything sent so far is delivered when this returns.</summary>
    /// <exception cref="Confluent.Kafka.KafkaException">Something could not be delivered.</exception>
    Task FlushAsync(CancellationToken cancellationToken);
}
