using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

internal static partial class TriggerServerLog
{
    [LoggerMessage(10, LogLevel.Information, "Service {Service} serves {Partition} from offset {NextOffset}")]
    public static partial void Claimed(this ILogger logger, string service, PartitionId partition, long nextOffset);

    [LoggerMessage(17, LogLevel.Error, "Service {Service}: offsets {First} to {Last} of {Partition} ({Count} trigger events at most) are no longer in the topic: they were not served, or not to every sink, and never will be; serving goes on behind them. Raise the topic's retention.ms above the longest time that the service may stand still")]
    public static partial void TriggersLost(this ILogger logger, string service, PartitionId partition, long first, long last, long count);

    [LoggerMessage(11, LogLevel.Warning, "Service {Service}: after {MaxWaitMs} ms the views had not come as far as {Events} trigger events: {Lagging} units lag, first {First}. They were served as the store stood")]
    public static partial void GaveUp(this ILogger logger, string service, int maxWaitMs, int events, int lagging, string first);

    [LoggerMessage(12, LogLevel.Warning, "Service {Service}: {Partition} offset {Offset} cannot be served: {Reason}")]
    public static partial void CannotServe(this ILogger logger, string service, PartitionId partition, long offset, string reason);

    [LoggerMessage(13, LogLevel.Warning, "Service {Service}: {Partition} was taken over by another process; this one stops serving it")]
    public static partial void TakenOver(this ILogger logger, string service, PartitionId partition);

    [LoggerMessage(14, LogLevel.Warning, "Service {Service} waits {RetryMs} ms: {Reason}")]
    public static partial void Unavailable(this ILogger logger, string service, int retryMs, string reason);

    [LoggerMessage(15, LogLevel.Information, "Service {Service} is drained")]
    public static partial void Drained(this ILogger logger, string service);

    [LoggerMessage(16, LogLevel.Warning, "Service {Service} could not be drained within {DrainMs} ms: {Reason}. The last events will be served again")]
    public static partial void NotDrained(this ILogger logger, string service, int drainMs, string reason);
}
