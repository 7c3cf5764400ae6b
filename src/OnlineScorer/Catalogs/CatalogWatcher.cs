using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>
/// Looks at the catalogue's files while the process serves. When they have changed, are the same at two looks and valid, and the store has what they define, everything changes to
/// them at once; until then what serves goes on serving, and the log and <c>/readyz</c> say why.
/// </summary>
internal sealed class CatalogWatcher(ServedCatalog served, CatalogSwitch change, CatalogWatchOptions options, TimeProvider time, ILogger<CatalogWatcher> logger) : BackgroundService
{
    /// <summary>How often what stays is said again.</summary>
    private static readonly TimeSpan SayAgain = TimeSpan.FromMinutes(1);

    private CatalogSnapshot serving = CatalogSnapshot.Of(options.Path, served.Current);
    private CatalogSnapshot? candidate;
    private (ObstacleKind Kind, long At)? said;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(options.WatchMs), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the host stops
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        if (serving.IsCurrent())
        {
            (candidate, served.Waiting, said) = (null, null, null);
            return;
        }

        var isSettled = candidate is { Problem: null } && candidate.IsCurrent();
        if (!isSettled)
            candidate = CatalogSnapshot.Read(options.Path);
        if (candidate!.Problem is { } problem)
            Wait(new Obstacle(ObstacleKind.NotValid, $"it is not valid: {problem}"));
        else if (isSettled)
            await SwitchAsync(candidate, cancellationToken);
    }

    private async Task SwitchAsync(CatalogSnapshot next, CancellationToken cancellationToken)
    {
        try
        {
            if (await change.TryAsync(next.Catalog!, cancellationToken) is { } why)
            {
                Wait(why);
                return;
            }
        }
        catch (StoreUnavailableException e)
        {
            Wait(new Obstacle(ObstacleKind.StoreAway, $"the store is away: {e.Message}"));
            return;
        }

        (serving, candidate, said) = (next, null, null);
        logger.Switched(options.Path);
    }

    private void Wait(Obstacle obstacle)
    {
        var isNews = said?.Kind != obstacle.Kind || (obstacle.Kind == ObstacleKind.NotValid && served.Waiting != obstacle.Text);
        served.Waiting = obstacle.Text;
        if (!isNews && time.GetElapsedTime(said!.Value.At) < SayAgain)
            return;
        said = (obstacle.Kind, time.GetTimestamp());
        logger.Waits(options.Path, obstacle.Text);
    }
}
