using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka.Native;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Producers of raw bytes for one endpoint. Thread-safe.</summary>
public sealed class KafkaProducerFactory(KafkaEndpoint endpoint)
{
    /// <summary>A producer that respects the endpoint's budget, bounds what is under way and remembers what was delivered.</summary>
    public RecordProducer Create(KafkaProducerOptions? options = null) => new(endpoint, CreateClient(options), options ?? new());

    /// <summary>A sender of many records that needs nothing said of those that were delivered; without gaps.</summary>
    public IRecordSender CreateSender(KafkaProducerOptions? options = null)
    {
        options ??= new();
        var sending = new KafkaProducerOptions
        {
            Compression = options.Compression,
            // The sender waits for more records, not librdkafka: it is told when a wave is handed over, and a wave's records of a partition go in one request.
            LingerMs = endpoint.IsEmbedded ? options.LingerMs : Math.Min(1_000, options.DeliveryTimeoutMs / 2),
            InFlightMaxBytes = options.InFlightMaxBytes,
            DeliveryTimeoutMs = options.DeliveryTimeoutMs,
            ClientSettings = new Dictionary<string, string>(options.ClientSettings, StringComparer.Ordinal)
            {
                ["enable.gapless.guarantee"] = "true",
            },
        };
        return endpoint.IsEmbedded
            ? new BudgetedSender(Create(sending))
            : new NativeSender(Config(sending).Where(IsOfLibrdkafka), options.LingerMs, options.InFlightMaxBytes);
    }

    /// <summary>The bare client. On an embedded Kafka its user must ask the budget: prefer <see cref="Create"/>.</summary>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="onLog">Hears what the client has to say of what it meets and mends itself, on threads of the client's; null: nobody does.</param>
    public IProducer<byte[]?, byte[]?> CreateClient(KafkaProducerOptions? options = null, Action<LogMessage>? onLog = null) =>
        new ProducerBuilder<byte[]?, byte[]?>(Config(options ?? new()))
            .SetKeySerializer(PassThrough.Instance!).SetValueSerializer(PassThrough.Instance!)
            .SetLogHandler((_, message) => onLog?.Invoke(message))
            .Build();

    private ProducerConfig Config(KafkaProducerOptions options)
    {
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
        return config;
    }

    private static bool IsOfLibrdkafka(KeyValuePair<string, string> setting) => !setting.Key.StartsWith("dotnet.", StringComparison.Ordinal);

    private sealed class PassThrough : ISerializer<byte[]?>
    {
        public static readonly PassThrough Instance = new();

        public byte[]? Serialize(byte[]? data, SerializationContext context) => data;
    }
}
