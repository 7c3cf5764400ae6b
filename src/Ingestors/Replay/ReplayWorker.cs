using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Replay;

/// <summary>Runs a replay in a host, and says now and then how far it is.</summary>
internal sealed partial class ReplayWorker(
    Replayer replayer, ReplayStatus status, IOptions<ReplayOptions> options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ReplayWorker> logger) : BackgroundService
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using (time.CreateTimer(_ => Tell(), null, TellEvery, TellEvery))
            await replayer.RunAsync(stoppingToken);
        var (produced, deadLettered, alreadyThere) = (Produced, status.Sources.Sum(s => s.DeadLettered), status.Sources.Sum(s => s.AlreadyThere));
        Done(logger, produced, deadLettered, alreadyThere);
        if (options.Value.StopWhenDone)
            lifetime.StopApplication();
    }

    private long Produced => status.Sources.Sum(s => s.Produced);

    private void Tell()
    {
        var (reachedUs, produced) = (status.ArrivalTimeUs, Produced);
        if (reachedUs == PositionRecord.None)
            return;
        var reached = TimeGrid.Format(reachedUs);
        IsAt(logger, reached, produced);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The replay is at {ArrivalTime}, {Records} records")]
    private static partial void IsAt(ILogger logger, string arrivalTime, long records);

    [LoggerMessage(Level = LogLevel.Information, Message = "The replay is done: {Produced} records produced, {DeadLettered} dead-lettered, {AlreadyThere} were there from an earlier run")]
    private static partial void Done(ILogger logger, long produced, long deadLettered, long alreadyThere);
}
