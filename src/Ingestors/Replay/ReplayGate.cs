using Microsoft.Extensions.Logging;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Replay;

/// <summary>
/// Holds a replay back to a bound ahead of the slowest worker (<see cref="GateRule"/>), by one read of all positions per poll. One sender; polls run beside it.
/// </summary>
internal sealed partial class ReplayGate(GateUnits units, IStateStore store, SentLedger sent, TimeSpan bound, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan PollPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan ComplainAfter = TimeSpan.FromSeconds(10);
    private readonly long boundUs = TimeGrid.ToMicros(bound);
    private long firstUs = long.MinValue;
    private long allowedUs = long.MinValue;
    private long reachedUs;
    private Task<GateState>? ahead;

    /// <summary>How often the sender had to stop.</summary>
    public long Waits { get; private set; }

    /// <summary>Whether a record may be sent now. Where half of the way to the bound is gone a poll is started, so that the sender need not stop.</summary>
    public bool Allows(long arrivalUs)
    {
        if (firstUs == long.MinValue)
            (firstUs, allowedUs) = (arrivalUs, arrivalUs + boundUs);
        reachedUs = arrivalUs;
        if (ahead is null && arrivalUs > allowedUs - (boundUs / 2))
            ahead = PollAsync(CancellationToken.None);
        if (ahead is { IsCompletedSuccessfully: true })
        {
            allowedUs = Math.Max(allowedUs, ahead.Result.AllowedUs);
            ahead = null;
        }

        return arrivalUs <= allowedUs;
    }

    /// <summary>Returns when the record may be sent. What was sent before must have been flushed.</summary>
    public async Task WaitAsync(long arrivalUs, CancellationToken cancellationToken)
    {
        Waits++;
        var complainAt = time.GetTimestamp();
        if (ahead is { } running)
        {
            ahead = null;
            allowedUs = Math.Max(allowedUs, (await running).AllowedUs);
        }

        while (arrivalUs > allowedUs)
        {
            var state = await PollAsync(cancellationToken);
            allowedUs = Math.Max(allowedUs, state.AllowedUs);
            if (arrivalUs <= allowedUs)
                return;
            if (time.GetElapsedTime(complainAt) > ComplainAfter)
            {
                complainAt = time.GetTimestamp();
                StandsStill(logger, TimeGrid.Format(arrivalUs), state.Slowest ?? "nobody", ComplainAfter.TotalSeconds);
            }

            await ShortPause.WaitAsync(PollPause, time, cancellationToken);
        }
    }

    // What is sent between the look at the ledger and the read only makes units look further ahead than they are, by less than the bound.
    private async Task<GateState> PollAsync(CancellationToken cancellationToken)
    {
        var reached = reachedUs;
        var before = units.Units.SelectMany(u => u.Sources.Count == 0 ? [u.Log] : u.Sources).Distinct().ToDictionary(p => p, sent.At);
        using var values = await store.ReadAsync(units.Keys, cancellationToken);
        return GateRule.Decide(units.Units, i => GateUnits.Position(values, i), units.Routes(values), p => before[p], firstUs, reached, boundUs);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The replay stands at {ArrivalTime} and waits for {Slowest}, which has not come on for {Seconds} s. Is its worker running? --max-ahead none waits for nobody")]
    private static partial void StandsStill(ILogger logger, string arrivalTime, string slowest, double seconds);
}
