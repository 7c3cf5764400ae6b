namespace StreamMl.Simulation.Tests.Scheduling;

/// <summary>The clock of one node: the world's time and what it is ahead by. Its timers fire when the world's time has come, if the node runs. One thread only.</summary>
internal sealed class SimClock : TimeProvider
{
    private readonly List<Timer> timers = [];

    public long NowUs { get; private set; } = 1_700_000_000_000_000;

    public override long TimestampFrequency => 1_000_000;

    /// <summary>Earliest due time of a timer; <see cref="long.MaxValue"/> where there is none.</summary>
    public long NextDueUs => timers.Count == 0 ? long.MaxValue : timers.Min(t => t.DueUs);

    public override long GetTimestamp() => NowUs;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(NowUs * TimeSpan.TicksPerMicrosecond);

    public void Advance(long us)
    {
        NowUs += us;
        while (timers.Find(t => t.DueUs <= NowUs) is { } due)
        {
            timers.Remove(due);
            due.Fire();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    // Only one-shot timers: nothing under test uses others.
    private sealed class Timer(SimClock clock, TimerCallback callback, object? state) : ITimer
    {
        public long DueUs { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.timers.Remove(this);
            if (dueTime == Timeout.InfiniteTimeSpan)
                return true;
            DueUs = clock.NowUs + (dueTime.Ticks / TimeSpan.TicksPerMicrosecond);
            clock.timers.Add(this);
            return true;
        }

        public void Dispose() => clock.timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
