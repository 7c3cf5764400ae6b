using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>Sends by one idempotent producer; keeps within the endpoint's bounds.</summary>
internal sealed class KafkaRecordSink(RecordProducer producer, IReadOnlyDictionary<string, int> partitionCounts) : IRecordSink
{
    public int PartitionCount(string topic) => partitionCounts[topic];

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken)
    {
        var sent = new Headers();
        foreach (var header in headers)
            sent.Add(header.Name, header.Value);
        deliveries.Sending();
        return producer.SendAsync(target, key, value, timestampUs, sent, deliveries, cancellationToken);
    }
}
