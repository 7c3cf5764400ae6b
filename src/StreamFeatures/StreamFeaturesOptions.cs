using System.ComponentModel.DataAnnotations;

namespace StreamMl.StreamFeatures;

/// <summary>How the stream worker batches and what it may hold. Values of features do not depend on any of these.</summary>
public sealed class StreamFeaturesOptions
{
    /// <summary>Consumer group of all workers of one installation. Default <c>streamml.features</c>.</summary>
    [Required]
    public string GroupId { get; set; } = "streamml.features";

    /// <summary>KIP-848 rebalances (brokers of 4.0 and later, and the embedded one). Default true; false: cooperative-sticky.</summary>
    public bool UseConsumerProtocol { get; set; } = true;

    /// <summary>
    /// This worker's name in the group (<c>group.instance.id</c>), unique and the same after a restart, as a StatefulSet's pod name: its partitions then wait for it for as long
    /// as the broker's session timeout, instead of moving twice. Null (default): none.
    /// </summary>
    public string? GroupInstanceId { get; set; }

    /// <summary>
    /// Whether repartitioned records and dead letters are sent in Kafka's transactions, one per commit. Default <see cref="TransactionMode.Auto"/>: on a real Kafka yes, on the embedded one, which has none, no.
    /// </summary>
    public TransactionMode Transactions { get; set; }

    /// <summary>
    /// Where the logs' archive would be. A partition that the store knows nothing of, whose topic has lost its beginning, is then refused where the archive has what was before, instead of
    /// being begun without it. Null (default): nobody knows of one. The command line sets it to <c>archive</c> under <c>--dir</c>.
    /// </summary>
    public string? ArchiveDirectory { get; set; }

    /// <summary>A worker that is behind commits at the latest after so long, milliseconds; one that has caught up commits at once. 10 to 10,000, default 500.</summary>
    [Range(10, 10_000)]
    public int CommitIntervalMs { get; set; } = 500;

    /// <summary>Records of one partition that one commit may cover. 1 to 10,000,000, default 500,000.</summary>
    [Range(1, 10_000_000)]
    public int CommitMaxRecords { get; set; } = 500_000;

    /// <summary>Changed states that make a worker commit before its time: the store stands still while it writes them. 1 to 200,000, default 30,000.</summary>
    [Range(1, 200_000)]
    public int CommitMaxStates { get; set; } = 30_000;

    /// <summary>Bytes of records read and not yet applied, all partitions together. 1 to 1,024 MiB, default 32 MiB.</summary>
    [Range(1 << 20, 1 << 30)]
    public long QueuedMaxBytes { get; set; } = 32 << 20;

    /// <summary>Memory for states that are not in the current commit, all partitions and views together. 1 MiB to 1 TiB, default 4 GiB; a state beyond it is read again from the store when needed.</summary>
    [Range(1L << 20, 1L << 40)]
    public long ResidentMaxBytes { get; set; } = 4L << 30;

    /// <summary>A partition without traffic compares its position with the store's after so long, milliseconds, and up to 100 more. 100 to 10,000, default 900: at least every second.</summary>
    [Range(100, 10_000)]
    public int IdleCheckMs { get; set; } = 900;

    /// <summary>Wait before what failed in the store, the broker or the registry is tried again, milliseconds. 1 to 60,000, default 200.</summary>
    [Range(1, 60_000)]
    public int RetryDelayMs { get; set; } = 200;

    /// <summary>A drain on shutdown or revoke gives up after so long, milliseconds; what was not committed is read again by the next owner. 100 to 300,000, default 20,000.</summary>
    [Range(100, 300_000)]
    public int DrainTimeoutMs { get; set; } = 20_000;
}

/// <summary>Whether records are sent in transactions. Values of features are the same either way.</summary>
public enum TransactionMode
{
    /// <summary>Where Kafka has them.</summary>
    Auto,

    /// <summary>Always; the embedded Kafka is refused.</summary>
    On,

    /// <summary>Never: idempotent and without gaps. After a crash some records are in their topic twice, which the readers of StreamMl drop, and others see.</summary>
    Off,
}
