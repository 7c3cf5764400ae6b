using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace StreamMl.Ingestors.Replay;

/// <summary>Runs a replay in a host.</summary>
internal sealed class ReplayWorker(Replayer replayer, IOptions<ReplayOptions> options, IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await replayer.RunAsync(stoppingToken);
        if (options.Value.StopWhenDone)
            lifetime.StopApplication();
    }
}
