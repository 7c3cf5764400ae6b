namespace StreamMl.Integration.Tests.Chaos;

internal enum Fault
{
    WorkerKill,
    ArchiverKill,
    Zombie,
    BusyRollback,
    IdleRollback,
    StoreRestart,
    BrokerRestart,

    /// <summary>A worker joins, or, if one has, one drains and leaves.</summary>
    Rebalance,
}

/// <summary>One fault, or two of which the second strikes while what the first has struck has not recovered.</summary>
internal readonly record struct Strike(Fault First, Fault? Second = null)
{
    public bool IsPair => Second is not null;

    public bool Has(Fault fault) => First == fault || Second == fault;

    public bool HasRollback => Has(Fault.BusyRollback) || Has(Fault.IdleRollback);

    public override string ToString() => Second is { } second ? $"{First}+{second}" : First.ToString();
}

/// <summary>The faults of a run in the order that its seed gives. Pure.</summary>
internal static class FaultSchedule
{
    /// <summary>What overlaps. Never twice the same server: one that is away cannot be struck.</summary>
    public static IReadOnlyList<Strike> Pairs { get; } =
    [
        new(Fault.Zombie, Fault.BusyRollback), new(Fault.BrokerRestart, Fault.WorkerKill), new(Fault.StoreRestart, Fault.Rebalance),
        new(Fault.Zombie, Fault.BrokerRestart), new(Fault.Zombie, Fault.WorkerKill), new(Fault.WorkerKill, Fault.BusyRollback),
        new(Fault.BrokerRestart, Fault.BusyRollback), new(Fault.Rebalance, Fault.WorkerKill), new(Fault.ArchiverKill, Fault.BrokerRestart),
    ];

    public static IReadOnlyList<Strike> Of(ChaosOptions options)
    {
        var random = new Random((int)options.Seed);
        var strikes = new List<Strike>();
        Add(Fault.WorkerKill, options.WorkerKills);
        Add(Fault.ArchiverKill, options.ArchiverKills);
        Add(Fault.Zombie, options.Zombies);
        Add(Fault.BusyRollback, options.BusyRollbacks);
        Add(Fault.IdleRollback, options.IdleRollbacks);
        Add(Fault.StoreRestart, options.StoreRestarts);
        Add(Fault.BrokerRestart, options.BrokerRestarts);
        Add(Fault.Rebalance, 2 * options.WorkersAdded);
        // Seeds that follow each other have all of them between them.
        strikes.AddRange(Enumerable.Range(0, options.Overlaps).Select(i => Pairs[(int)((((options.Seed - 1) * (ulong)options.Overlaps) + (ulong)i) % (ulong)Pairs.Count)]));
        var shuffled = strikes.ToArray();
        random.Shuffle(shuffled);
        // The store cannot go back to before its first copy.
        var first = Array.FindIndex(shuffled, s => !s.HasRollback);
        (shuffled[0], shuffled[first]) = (shuffled[first], shuffled[0]);
        return shuffled;

        void Add(Fault fault, int count) => strikes.AddRange(Enumerable.Repeat(new Strike(fault), count));
    }
}
