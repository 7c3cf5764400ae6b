namespace StreamMl.OnlineScorer.Scoring;

/// <summary>Keeps a <see cref="ModelHost"/> up to date: once before anything is served, then every <see cref="ScoringOptions.WatchMs"/>.</summary>
internal sealed class ModelWatcher(ModelHost host, ScoringOptions options, TimeProvider time, ILogger<ModelHost> logger) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(options.WatchMs), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await RefreshAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the host stops
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            await host.RefreshAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.RegistryUnreadable(e.Message);
        }
    }
}
