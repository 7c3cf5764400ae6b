namespace StreamMl.OnlineScorer.Api;

internal static partial class FeatureApiLog
{
    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger logger, Exception error, string method, string path);

    [LoggerMessage(2, LogLevel.Information, "The feature API listens at {Address}")]
    public static partial void Listening(this ILogger logger, string address);
}
