using Microsoft.Extensions.Logging;
using StreamMl.Shared.Store;

namespace StreamMl.StreamFeatures.Partitions;

/// <summary>Lost infrastructure is tried again until it is back or the worker stops; anything else passes through.</summary>
internal sealed partial class Retry(StreamFeaturesOptions options, TimeProvider time, ILogger<Retry> logger)
{
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await action(cancellationToken);
            }
            catch (Exception e) when (e is StoreUnavailableException or HttpRequestException)
            {
                Unavailable(logger, attempt, options.RetryDelayMs, e.Message);
                await DelayAsync(cancellationToken);
            }
        }
    }

    public Task DelayAsync(CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromMilliseconds(options.RetryDelayMs), time, cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} failed, next in {DelayMs} ms: {Reason}")]
    private static partial void Unavailable(ILogger logger, int attempt, int delayMs, string reason);
}
