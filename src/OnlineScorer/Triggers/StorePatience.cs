using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Lost infrastructure, and views that have not started yet, are waited for; anything else is a fault. Thread-safe.</summary>
internal sealed class StorePatience(string service, TriggerServices services, TriggerServingOptions options)
{
    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> action, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await action(cancellationToken);
            }
            catch (Exception e) when (e is StoreUnavailableException or ViewNotReadyException or TornReadException or HttpRequestException)
            {
                services.Logger.Unavailable(service, options.RetryMs, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(options.RetryMs), services.Time, cancellationToken);
            }
        }
    }
}
