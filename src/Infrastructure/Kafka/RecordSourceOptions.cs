using System.ComponentModel.DataAnnotations;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>How a record source reads.</summary>
public sealed class RecordSourceOptions
{
    /// <summary>The consumer group; needed to subscribe and for <see cref="IRecordSource.CommitForLag"/>. Null (default) for manual assignment.</summary>
    public string? GroupId { get; init; }

    /// <summary>
    /// Static membership (<c>group.instance.id</c>): a member that comes back under its name within the session timeout finds its partitions, and the others were not
    /// disturbed. Unique in the group. Null (default): none; the embedded Kafka does not have it and goes on without.
    /// </summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>
    /// KIP-848's <c>group.protocol=consumer</c>, for brokers of 4.0 and later (the embedded one has it): partitions move within two heartbeats, whose interval
    /// the broker sets (<c>group.consumer.heartbeat.interval.ms</c>, 5 s by default; 0.2 s in the embedded one). Default false: the classic protocol,
    /// cooperative-sticky. The embedded broker lets each of its rebalances last the session timeout less 1 s, 27 s for a change of hands: do not use it there.
    /// </summary>
    public bool UseConsumerProtocol { get; init; }

    /// <summary>How long the broker may wait for more data: the latency of a quiet topic. 0 to 500, default 10.</summary>
    [Range(0, 500)]
    public int FetchWaitMaxMs { get; init; } = 10;

    /// <summary>
    /// The same on the embedded Kafka, whose answer comes at the end of the wait whatever has come meanwhile, and which looks through all that a partition holds for each:
    /// a reader that nobody waits for should let it rest. 0 to 500, default 2.
    /// </summary>
    [Range(0, 500)]
    public int EmbeddedFetchWaitMs { get; init; } = 2;

    /// <summary>Records that librdkafka may hold ahead of the reader, all partitions together. 1 to 256 MiB, default 32 MiB.</summary>
    [Range(1 << 20, 256 << 20)]
    public int QueueMaxBytes { get; init; } = 32 << 20;

    /// <summary>Bytes of one partition in one answer. 64 KiB to 64 MiB, default 2 MiB.</summary>
    [Range(1 << 16, 64 << 20)]
    public int PartitionFetchMaxBytes { get; init; } = 2 << 20;

    /// <summary>A member that does not poll for so long is put out of the group. 1 s to 1 h, default 5 min.</summary>
    [Range(1_000, 3_600_000)]
    public int MaxPollIntervalMs { get; init; } = 300_000;

    /// <summary>A member that is silent for so long is dead (classic protocol). 1 s to 5 min, default 10 s.</summary>
    [Range(1_000, 300_000)]
    public int SessionTimeoutMs { get; init; } = 10_000;

    /// <summary>Copies record headers into the batch. Default true; a reader that does not look at them saves 5% or so.</summary>
    public bool ReadHeaders { get; init; } = true;

    /// <summary>More settings by librdkafka's names; they win over all others.</summary>
    public IReadOnlyDictionary<string, string> ClientSettings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
