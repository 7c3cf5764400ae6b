namespace StreamMl.OnlineScorer.Catalogs;

internal static partial class CatalogLog
{
    [LoggerMessage(70, LogLevel.Information, "The catalogue {Path} has changed: everything is served by it from now on")]
    public static partial void Switched(this ILogger logger, string path);

    [LoggerMessage(71, LogLevel.Warning, "The catalogue {Path} has changed and is not used yet, the one before it serves on: {Why}")]
    public static partial void Waits(this ILogger logger, string path, string why);

    [LoggerMessage(72, LogLevel.Debug, "What this process reads was not noted in the store: {Why}")]
    public static partial void NotNoted(this ILogger logger, string why);
}
