namespace StreamMl.Simulation.Tests;

/// <summary>What goes wrong.</summary>
internal enum Fault
{
    RefusedConnection,
    LostRequest,
    LateRequest,
    LostAnswer,
    LostRead,
    TornConnection,
    Crash,
    Zombie,
    Pause,
    Rebalance,
    DrainTimeout,
    Rollback,
    RollbackOfOnePartition,
    ClockJump,
    ProducerRetry,
    FailedDelivery,
    LostDeliveryAnswer,
    OffsetGap,
    TransactionTimeout,

    /// <summary>A server that is no longer the store's answers a read.</summary>
    StaleRead,

    /// <summary>The log loses its beginning, up to at most where everything is applied.</summary>
    Retention,

    /// <summary>The log loses what was not applied yet, or what the store may go back to.</summary>
    RetentionTooShort,
}

/// <summary>A bug that is put in on purpose, to see that the simulation finds it.</summary>
internal enum Plant
{
    None,

    /// <summary>The store takes a commit whatever its position.</summary>
    NoOffsetCheck,

    /// <summary>An idle partition never looks whether the store still has its position.</summary>
    NoIdleCheck,

    /// <summary>Counts are increments beside the script instead of absolute values in it.</summary>
    AdditiveWrites,

    /// <summary>States are written first, positions a moment later.</summary>
    TornCommit,

    /// <summary>A commit whose answer was lost is taken for done.</summary>
    LostAnswerIsSuccess,

    /// <summary>A record that could not be delivered does not stop those behind it.</summary>
    GapsInDeliveries,

    /// <summary>The seek of a worker that is gone is done for the next one of its partition, which then takes no records any more.</summary>
    SeekOfOldWorker,

    /// <summary>Who takes the right to send over leaves the transactions of those before as they are.</summary>
    ZombieTransactions,

    /// <summary>A transaction that was aborted is taken for committed.</summary>
    AbortedIsCommitted,

    /// <summary>A commit compares the views' positions and not the log's own.</summary>
    NoCheckOfLog,

    /// <summary>So does the look at an idle partition: one without views never finds anything.</summary>
    NoIdleCheckOfLog,

    /// <summary>A commit of a view that replays takes all positions to where that view stands.</summary>
    ReplayTakesAllBack,

    /// <summary>A view that replays has its position moved to where the others stand.</summary>
    ReplayIsTakenAlong,

    /// <summary>What is read right after a claim is taken for that of the claimed positions.</summary>
    ClaimIsNotReadAgain,

    /// <summary>Where the log no longer has what is to be read next, reading goes on at what it has.</summary>
    WhatRetentionTookIsSkipped,

    /// <summary>A position that the store has lost begins at what the log still has, although more of it is known.</summary>
    LostPositionBeginsAnew,
}

/// <summary>Which faults this seed has, and how many it made. Each kind is left out of half of the seeds, so that others show alone.</summary>
internal sealed class Faults
{
    private readonly Random random;
    private readonly bool[] enabled;
    private readonly double rate;

    public Faults(Random random)
    {
        this.random = random;
        enabled = [.. Enum.GetValues<Fault>().Select(_ => random.Next(2) == 0)];
        rate = random.Next(4) switch { 0 => 0.2, 1 => 0.5, _ => 1 };
    }

    public long[] Counts { get; } = new long[Enum.GetValues<Fault>().Length];

    /// <summary>No more faults from here on: the world comes to rest.</summary>
    public bool Healed { get; set; }

    /// <summary>Whether it happens now, of so many in ten thousand.</summary>
    public bool Strikes(Fault fault, int perTenThousand)
    {
        if (Healed || !enabled[(int)fault] || random.NextDouble() * 10_000 >= perTenThousand * rate)
            return false;
        Counts[(int)fault]++;
        return true;
    }
}
