using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Scoring;

internal static partial class ScoringLog
{
    [LoggerMessage(40, LogLevel.Information, "{Version} serves as {Alias} of service {Service}; before it: {Before}")]
    public static partial void Serves(this ILogger logger, ModelVersion version, string alias, string service, string before);

    [LoggerMessage(41, LogLevel.Error, "{Model} does not serve as {Alias}: {Reason}")]
    public static partial void Refused(this ILogger logger, ModelReference model, string alias, string reason);

    [LoggerMessage(42, LogLevel.Information, "{Version} serves no longer as {Alias}: the alias is gone")]
    public static partial void Stopped(this ILogger logger, ModelVersion version, string alias);

    [LoggerMessage(43, LogLevel.Warning, "Predictions of {Service} wait {RetryMs} ms: {Reason}")]
    public static partial void PredictionsWait(this ILogger logger, string service, int retryMs, string reason);

    [LoggerMessage(44, LogLevel.Warning, "The model registry cannot be read: {Reason}. What serves goes on serving")]
    public static partial void RegistryUnreadable(this ILogger logger, string reason);
}
