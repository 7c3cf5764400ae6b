namespace StreamMl.Integration.Tests.Chaos;

/// <summary>How much flows and what goes wrong while it does. Defaults are the short form, which runs with the other tests.</summary>
internal sealed record ChaosOptions
{
    /// <summary>Decides the events, the faults' order and whom they meet.</summary>
    public ulong Seed { get; init; } = 1;

    public int Events { get; init; } = 40_000;

    public int Users { get; init; } = 300;

    public int Shops { get; init; } = 60;

    public int Partitions { get; init; } = 4;

    /// <summary>Stream workers; while a worker is added there is one more.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>The producer's pace between the marks at which it waits for the faults.</summary>
    public int EventsPerSecond { get; init; } = 5_000;

    /// <summary><c>kill -9</c> of a stream worker, which is started again at once.</summary>
    public int WorkerKills { get; init; } = 2;

    /// <summary><c>kill -9</c> of the archiver, which is started again at once.</summary>
    public int ArchiverKills { get; init; } = 1;

    /// <summary>A stream worker is stopped until another has its partitions, and then goes on.</summary>
    public int Zombies { get; init; } = 1;

    /// <summary>The store is killed and comes back with an older copy of its data while events flow.</summary>
    public int BusyRollbacks { get; init; } = 1;

    /// <summary>The same while nothing flows and everything is applied.</summary>
    public int IdleRollbacks { get; init; } = 1;

    /// <summary>The store is killed and comes back with what its append-only file has.</summary>
    public int StoreRestarts { get; init; }

    /// <summary>1, or 3 with each partition on all of them.</summary>
    public int Brokers { get; init; } = 1;

    /// <summary><c>kill -9</c> of a broker, which is started again at once.</summary>
    public int BrokerRestarts { get; init; } = 1;

    /// <summary>Workers that join and, later, such that drain and leave: two rebalances each.</summary>
    public int WorkersAdded { get; init; } = 1;

    /// <summary>Pairs of faults, of which the second strikes while the first one's victim has not recovered; besides those above.</summary>
    public int Overlaps { get; init; } = 3;

    /// <summary>The second fault of a pair strikes at most so long after the first; the seed says when.</summary>
    public int OverlapMaxMs { get; init; } = 2_000;

    /// <summary>A member of the group that is silent for so long is fenced.</summary>
    public int SessionTimeoutMs { get; init; } = 3_000;

    /// <summary>What has not recovered after so long is broken.</summary>
    public int RecoveryLimitMs { get; init; } = 180_000;

    /// <summary>Where the report, the workers' logs and the catalogue stay; null: nowhere.</summary>
    public string? KeepIn { get; init; }

    /// <summary>At least 50 kills, 20 zombies, 10 rollbacks, broker restarts and rebalances in two million events.</summary>
    public static ChaosOptions Long { get; } = new()
    {
        Events = 2_000_000,
        Users = 2_000,
        Shops = 400,
        Workers = 3,
        EventsPerSecond = 8_000,
        WorkerKills = 45,
        ArchiverKills = 5,
        Zombies = 20,
        BusyRollbacks = 6,
        IdleRollbacks = 4,
        StoreRestarts = 3,
        BrokerRestarts = 5,
        WorkersAdded = 5,
        Overlaps = 18,
    };
}
