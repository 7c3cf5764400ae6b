using System.Text;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>Says in the store every <see cref="ReaderRecord.Interval"/> which view versions this process reads, so that `streamml reset --old` leaves them alone.</summary>
internal sealed class ReaderNotes(ServedCatalog served, IStateStore store, TimeProvider time, ILogger<ReaderNotes> logger) : BackgroundService
{
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public static async Task WriteAsync(IStateStore store, Catalog catalog, TimeProvider time, CancellationToken cancellationToken)
    {
        var seen = new ReaderRecord(TimeGrid.FromDateTime(time.GetUtcNow().UtcDateTime)).Encode();
        foreach (var log in ViewProgram.CompileAll(catalog).GroupBy(p => p.Log, StringComparer.Ordinal))
        {
            var commit = new StoreCommit(new PartitionId(log.Key, 0));
            foreach (var program in log)
                commit.Set(Encoding.UTF8.GetBytes(LogNames.ReaderKey(log.Key, program.View.Name, program.Hash8)), seen);
            var result = await store.CommitAsync(commit, cancellationToken);
            if (result.Status != CommitStatus.Committed)
                throw new StoreUnavailableException("nobody knows whether the reader's note was written", result.Error);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(ReaderRecord.Interval, time);
        try
        {
            do
                await NoteAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the host stops
        }
    }

    // Six of them fit into the time after which a reader counts as gone: one that fails is made up for by the next.
    private async Task NoteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(store, served.Current, time, cancellationToken);
        }
        catch (StoreUnavailableException e)
        {
            logger.NotNoted(e.Message);
        }
    }
}
