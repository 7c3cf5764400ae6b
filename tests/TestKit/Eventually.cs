namespace StreamMl.TestKit;

/// <summary>Waits for a condition instead of for time; a condition that never comes ends with a dump of the state.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Looks again every few milliseconds until the condition holds.</summary>
    /// <param name="condition">Cheap and without effects.</param>
    /// <param name="stateDump">What the timeout's message shows.</param>
    /// <param name="timeoutMs">Default 2 minutes: a bound for what is broken, not a measure; on a machine with far more to do than processors 30 s were not enough.</param>
    /// <param name="time">Whose clock the timeout runs by; null for the system's.</param>
    /// <exception cref="TimeoutException">It did not come true.</exception>
    public static Task Until(Func<bool> condition, Func<string> stateDump, int timeoutMs = 120_000, TimeProvider? time = null) =>
        Until(() => Task.FromResult(condition()), stateDump, timeoutMs, time);

    /// <inheritdoc cref="Until(Func{bool}, Func{string}, int, TimeProvider?)"/>
    public static async Task Until(Func<Task<bool>> condition, Func<string> stateDump, int timeoutMs = 120_000, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        long start = time.GetTimestamp();
        while (!await condition())
        {
            if (time.GetElapsedTime(start).TotalMilliseconds > timeoutMs)
            {
                throw new TimeoutException($"The condition did not come true within {timeoutMs} ms. State: {stateDump()}");
            }

            // The pause is real time whatever the clock under test says: it only yields the processor.
            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
