using StreamMl.Infrastructure.Embedded;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Where Kafka is: the bootstrap servers and, where it runs in this process, the embedded cluster.</summary>
public sealed class KafkaEndpoint
{
    private KafkaEndpoint(string bootstrapServers, EmbeddedKafka? embedded)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(bootstrapServers);
        BootstrapServers = bootstrapServers;
        Embedded = embedded;
    }

    public string BootstrapServers { get; }

    /// <summary>The cluster in this process; null for a real one.</summary>
    public EmbeddedKafka? Embedded { get; }

    public bool IsEmbedded => Embedded is not null;

    /// <summary>Null for a real Kafka, which keeps what nobody has read yet.</summary>
    public ByteBudget? Budget => Embedded?.Budget;

    /// <summary>Settings for every client of this endpoint beside the servers: security, client rack and the like. librdkafka's names.</summary>
    public IReadOnlyDictionary<string, string> ClientSettings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public static KafkaEndpoint Of(EmbeddedKafka embedded) => new(embedded.BootstrapServers, embedded);

    public static KafkaEndpoint Of(string bootstrapServers) => new(bootstrapServers, null);

    public override string ToString() => IsEmbedded ? $"embedded Kafka at {BootstrapServers}" : $"Kafka at {BootstrapServers}";
}
