using Confluent.Kafka;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Producers of raw bytes for one endpoint. Thread-safe.</summary>
public sealed class KafkaProducerFactory(KafkaEndpoint endpoint)
{
    /// <summary>A producer that respects the endpoint's budget, bounds what is under way and remembers what was delivered.</summary>
    public RecordProducer Create(KafkaProducerOptions? options = null) => new(endpoint, CreateClient(options), options ?? new());

    /// <summary>The bare client. On an embedded Kafka its user must ask the budget: prefer <see cref="Create"/>.</summary>
    public IProducer<byte[]?, byte[]?> CreateClient(KafkaProducerOptions? options = null)
    {
        options ??= new();
        var config = new ProducerConfig(KafkaSettings.Client(endpoint))
        {
            EnableIdempotence = true,
            Acks = Acks.All,
            Partitioner = Partitioner.Murmur2Random,
            LingerMs = options.LingerMs,
            MessageTimeoutMs = options.DeliveryTimeoutMs,
            QueueBufferingMaxMessages = 2_000_000,
            QueueBufferingMaxKbytes = 2 * (options.InFlightMaxBytes / 1024),
            // Reports carry what the sender needs to settle its budget and nothing that must be marshalled.
            DeliveryReportFields = "key,value",
        };
        config.Set("compression.type", options.Compression);
        foreach (var (name, value) in options.ClientSettings) config.Set(name, value);
        return new ProducerBuilder<byte[]?, byte[]?>(config)
            .SetKeySerializer(PassThrough.Instance!).SetValueSerializer(PassThrough.Instance!)
            .SetLogHandler(static (_, _) => { })
            .Build();
    }

    private sealed class PassThrough : ISerializer<byte[]?>
    {
        public static readonly PassThrough Instance = new();

        public byte[]? Serialize(byte[]? data, SerializationContext context) => data;
    }
}
