using System.ComponentModel.DataAnnotations;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>How records are produced: always idempotent, <c>acks=all</c>, partitioned by <c>murmur2_random</c>.</summary>
public sealed class KafkaProducerOptions
{
    /// <summary><c>none</c> (default), <c>lz4</c>, <c>zstd</c>, <c>snappy</c> or <c>gzip</c>.</summary>
    public string Compression { get; init; } = "none";

    /// <summary>How long a batch waits for more records. 0 to 1000, default 5; less makes batches of one, which are read 100 times slower.</summary>
    [Range(0, 1000)]
    public int LingerMs { get; init; } = 5;

    /// <summary>Bytes of records that are sent and not yet acknowledged, all partitions together. 1 to 256 MiB, default 32 MiB.</summary>
    [Range(1 << 20, 256 << 20)]
    public int InFlightMaxBytes { get; init; } = 32 << 20;

    /// <summary>A record that could not be delivered for so long fails the producer. 1 s to 1 h, default 2 min.</summary>
    [Range(1_000, 3_600_000)]
    public int DeliveryTimeoutMs { get; init; } = 120_000;

    /// <summary>More settings by librdkafka's names; they win over all others.</summary>
    public IReadOnlyDictionary<string, string> ClientSettings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
