using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;

namespace StreamMl.BatchBackfill;

/// <summary>
/// Point-in-time training sets from the archive, by the same engine as the stream. Killed at any moment, the same call goes on where it was. The
/// bytes of the result depend on the request and the archive alone. Thread-safe for different output directories.
/// </summary>
public static class BackfillRunner
{
    /// <param name="catalog">Validated.</param>
    /// <param name="options">The request.</param>
    /// <param name="progress">Called from several threads.</param>
    /// <param name="cancellationToken">Stops it; what is done is kept for the next call.</param>
    /// <exception cref="BackfillException">The request or its input is wrong.</exception>
    /// <exception cref="InvalidDataException">The archive has holes or is damaged.</exception>
    public static TrainingManifest Run(Catalog catalog, BackfillOptions options, Action<BackfillProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return new Backfill(catalog, options, progress ?? (_ => { })).Run(cancellationToken);
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
            throw;
        }
    }
}
