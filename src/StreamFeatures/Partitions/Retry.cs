using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Kafka;
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
            catch (Exception e) when (IsPassing(e))
            {
                Unavailable(logger, attempt, options.RetryDelayMs, e.Message);
                await DelayAsync(cancellationToken);
            }
        }
    }

    public Task DelayAsync(CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromMilliseconds(options.RetryDelayMs), time, cancellationToken);

    // A broker may go between the assignment of a partition and the look at its topic.
    private static bool IsPassing(Exception error) => error switch
    {
        StoreUnavailableException or HttpRequestException => true,
        KafkaException e => !e.Error.IsFatal && !TransactionalProducer.IsForGood(e.Error),
        _ => false,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} failed, next in {DelayMs} ms: {Reason}")]
    private static partial void Unavailable(ILogger logger, int attempt, int delayMs, string reason);
}
