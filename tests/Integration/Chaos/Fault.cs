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

/// <summary>The faults of a run in the order that its seed gives. Pure.</summary>
internal static class FaultSchedule
{
    public static IReadOnlyList<Fault> Of(ChaosOptions options)
    {
        var faults = new List<Fault>();
        Add(Fault.WorkerKill, options.WorkerKills);
        Add(Fault.ArchiverKill, options.ArchiverKills);
        Add(Fault.Zombie, options.Zombies);
        Add(Fault.BusyRollback, options.BusyRollbacks);
        Add(Fault.IdleRollback, options.IdleRollbacks);
        Add(Fault.StoreRestart, options.StoreRestarts);
        Add(Fault.BrokerRestart, options.BrokerRestarts);
        Add(Fault.Rebalance, 2 * options.WorkersAdded);
        var shuffled = faults.ToArray();
        new Random((int)options.Seed).Shuffle(shuffled);
        // The store cannot go back to before its first copy.
        var first = Array.FindIndex(shuffled, f => !IsRollback(f));
        (shuffled[0], shuffled[first]) = (shuffled[first], shuffled[0]);
        return shuffled;

        void Add(Fault fault, int count) => faults.AddRange(Enumerable.Repeat(fault, count));
    }

    public static bool IsRollback(Fault fault) => fault is Fault.BusyRollback or Fault.IdleRollback;
}
