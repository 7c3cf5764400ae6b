namespace StreamMl.Training.Tracking.Mlflow;

internal static partial class MlflowServerLog
{
    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger logger, Exception error, string method, string path);

    [LoggerMessage(2, LogLevel.Information, "The MLflow interface listens at {Address}")]
    public static partial void Listening(this ILogger logger, string address);
}
