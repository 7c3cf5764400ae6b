namespace StreamMl.Shared.Time;

/// <summary>
/// The pause between two looks of a loop that waits for something a millisecond away. A timer of the runtime will not do: it counts in ticks of the kernel's coarse
/// clock, so that on Linux with 250 ticks a second a delay of 1 ms takes 4. Thread-safe.
/// </summary>
public static class ShortPause
{
    private static readonly TimeSpan TimersAreExactFrom = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits for that long, on a thread of the pool where the time is the system's and the pause is shorter than 20 ms; else by a timer of <paramref name="time"/>.</summary>
    /// <param name="pause">How long; 0 or more.</param>
    /// <param name="time">Whose time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task WaitAsync(TimeSpan pause, TimeProvider time, CancellationToken cancellationToken) =>
        time == TimeProvider.System && pause < TimersAreExactFrom ? Task.Run(() => Block(pause, cancellationToken), cancellationToken) : Task.Delay(pause, time, cancellationToken);

    private static void Block(TimeSpan pause, CancellationToken cancellationToken)
    {
        cancellationToken.WaitHandle.WaitOne(pause);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
