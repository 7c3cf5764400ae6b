using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Replay;

/// <summary>Says when a record is due if its source's time passes so many times faster. Starts at the first record. One thread.</summary>
internal sealed class ReplayPace(double speed, TimeProvider time)
{
    private long? firstUs;
    private long startedAt;

    /// <summary>Time to wait; zero: due. Whole milliseconds, at most 24 days.</summary>
    public TimeSpan DueIn(long arrivalUs)
    {
        if (firstUs is null)
            (firstUs, startedAt) = (arrivalUs, time.GetTimestamp());
        var leftMs = ((arrivalUs - firstUs.Value) / (double)TimeGrid.MicrosPerMillisecond / speed) - time.GetElapsedTime(startedAt).TotalMilliseconds;
        return leftMs < 1 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(leftMs, int.MaxValue)));
    }
}
