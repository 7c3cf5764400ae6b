using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>Sends by one idempotent producer; keeps within the endpoint's bounds.</summary>
internal sealed class KafkaRecordSink(RecordProducer producer, IReadOnlyDictionary<string, int> partitionCounts) : IRecordSink
{
    /// <summary>
    /// How its producer must be made. A record that was given up while those behind it are delivered would be lost: its second sending is below
    /// what the reader's gate has seen. So none is ever given up, and what the broker refuses for good ends the worker.
    /// </summary>
    public static KafkaProducerOptions WithoutGaps { get; } = new()
    {
        // Each commit waits for what it sent.
        LingerMs = 1,
        ClientSettings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["message.timeout.ms"] = "0",
            ["enable.gapless.guarantee"] = "true",
        },
    };

    public int PartitionCount(string topic) => partitionCounts[topic];

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken)
    {
        deliveries.Sending();
        return producer.SendAsync(target, key, value, timestampUs, HeadersOf(headers), deliveries, cancellationToken);
    }

    internal static Headers HeadersOf(IReadOnlyList<OutgoingHeader> headers)
    {
        var made = new Headers();
        foreach (var header in headers)
            made.Add(header.Name, header.Value);
        return made;
    }
}
