using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Redis;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>
/// Looks at the store's memory once a minute: a limit or an eviction policy that is set while workers run would drop states in silence. What it finds is logged when it changes; the workers
/// go on, because stopping them brings no state back.
/// </summary>
internal sealed partial class StoreWatch(RedisEndpoint redis, TimeProvider time, ILogger<StoreWatch> logger) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>One look.</summary>
    /// <param name="known">What was said last.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What there is to say now; <paramref name="known"/> where the store does not answer, which its users tell of.</returns>
    internal async Task<IReadOnlyList<string>> LookAsync(IReadOnlyList<string> known, CancellationToken cancellationToken)
    {
        try
        {
            var found = await redis.LookAsync(cancellationToken);
            foreach (var warning in found.Where(w => !known.Select(Kind).Contains(Kind(w), StringComparer.Ordinal)))
                Found(logger, warning);
            return found;
        }
        catch (Exception e) when (e is RedisUnsuitableException or StackExchange.Redis.RedisException or TimeoutException)
        {
            NotAnswered(logger, e.Message);
            return known;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The start has its own check, which says the same.
        var known = redis.Warnings;
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            known = await LookAsync(known, stoppingToken);
    }

    // A server that fills up says another number each minute: once is enough.
    private static string Kind(string warning) => new([.. warning.Where(c => !char.IsDigit(c))]);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private static partial void Found(ILogger logger, string warning);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The store's memory could not be looked at: {Reason}")]
    private static partial void NotAnswered(ILogger logger, string reason);
}
