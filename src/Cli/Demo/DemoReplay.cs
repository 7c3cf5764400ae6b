using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Ingestors;
using StreamMl.Ingestors.Replay;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.Cli.Demo;

/// <summary>A stretch of the year, replayed until every worker has caught up, with a line that says how it goes.</summary>
/// <param name="installation">Where to.</param>
/// <param name="catalog">Of what.</param>
/// <param name="mappingPath">The files and how they become events.</param>
/// <param name="screen">Shows it.</param>
internal sealed class DemoReplay(Installation installation, Catalog catalog, string mappingPath, DemoScreen screen)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAtTheEndEvery = TimeSpan.FromMilliseconds(100);

    /// <param name="from">First arrival.</param>
    /// <param name="until">Where it ends.</param>
    /// <param name="maxAhead">How far it may be ahead of the slowest worker.</param>
    /// <param name="gateServices">Services that are waited for; null: all.</param>
    /// <param name="caught">Says who is behind.</param>
    /// <param name="more">What else the line shows.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>Arrival time of the last event, microseconds since the epoch.</returns>
    public async Task<long> RunAsync(DateTime from, DateTime until, TimeSpan maxAhead, IReadOnlyList<string>? gateServices, Caught caught, Func<string>? more, CancellationToken stop)
    {
        using var host = WorkerRunner.Build(
            installation, catalog,
            services => services.AddReplay(o =>
            {
                (o.MappingPath, o.MaxAhead, o.GateServices) = (mappingPath, maxAhead, gateServices);
                (o.FromArrivalUs, o.UntilArrivalUs) = (TimeGrid.FromDateTime(from), TimeGrid.FromDateTime(until));
            }),
            LogLevel.Warning);
        await host.StartAsync(stop);
        var status = host.Services.GetRequiredService<ReplayStatus>();
        await WatchAsync(status, caught, more, stop);
        await host.StopAsync(stop);
        return status.ArrivalTimeUs;
    }

    private async Task WatchAsync(ReplayStatus status, Caught caught, Func<string>? more, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        var last = (Produced: 0L, At: watch.Elapsed);
        while (true)
        {
            var lag = await caught.LagAsync(stop);
            var produced = status.Sources.Sum(s => s.Produced);
            var rate = (produced - last.Produced) / Math.Max(0.001, (watch.Elapsed - last.At).TotalSeconds);
            last = (produced, watch.Elapsed);
            var clock = status.ArrivalTimeUs == PositionRecord.None ? "-" : TimeGrid.Format(status.ArrivalTimeUs)[..16];
            screen.Progress($"{clock}  {produced,9:N0} events  {rate,8:N0}/s  behind: stream {lag.Stream,6:N0}, archive {lag.Archive,7:N0}{(caught.ServesTriggers ? $", triggers {lag.Triggers,6:N0}" : "")}{more?.Invoke()}");
            if (status.Completion.IsCompleted)
            {
                await status.Completion;
                if (lag == (0, 0, 0))
                    break;
            }

            await PauseAsync(status, stop);
        }

        screen.EndProgress();
        foreach (var source in status.Sources)
            DemoScreen.Line($"  {source.Source,-18} {source.Produced,9:N0} produced, {source.NotWanted,7:N0} not wanted, {source.DeadLettered} dead-lettered");
    }

    private static async Task PauseAsync(ReplayStatus status, CancellationToken stop)
    {
        if (status.Completion.IsCompleted)
            await Task.Delay(LookAtTheEndEvery, TimeProvider.System, stop);
        else
            await Task.WhenAny(status.Completion, Task.Delay(LookEvery, TimeProvider.System, stop));
        stop.ThrowIfCancellationRequested();
    }
}
