using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Redis;
using StreamMl.TestKit.Servers;

namespace StreamMl.Infrastructure.Tests.Hosting;

public sealed class StoreWatchTests
{
    [Fact]
    public async Task Look_LimitSetOnARunningServerThatEvicts_IsToldOnce()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--maxmemory-policy", "allkeys-lru");
        var log = new KeptLog();
        using var watch = new StoreWatch(RedisEndpoint.Of(server.Endpoint), TimeProvider.System, log);
        var known = await watch.LookAsync([], CancellationToken.None);
        log.Warnings.ShouldHaveSingleItem().ShouldContain("no maxmemory yet");

        await server.AskAsync("CONFIG", "SET", "maxmemory", "100mb");
        known = await watch.LookAsync(known, CancellationToken.None);
        await watch.LookAsync(known, CancellationToken.None);

        log.Warnings.Count.ShouldBe(2);
        log.Warnings[1].ShouldContain("maxmemory 100.0 MiB: it would drop feature states");
    }

    [Fact]
    public async Task Look_StoreAway_KeepsWhatIsKnownAndDoesNotFail()
    {
        var log = new KeptLog();
        using var watch = new StoreWatch(RedisEndpoint.Of($"127.0.0.1:{RedisProcess.FreePort()},connectTimeout=500,connectRetry=1"), TimeProvider.System, log);
        (await watch.LookAsync(["known"], CancellationToken.None)).ShouldBe(["known"]);
        log.Warnings.ShouldBeEmpty();
    }

    private sealed class KeptLog : ILogger<StoreWatch>
    {
        public List<string> Warnings { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning)
                Warnings.Add(formatter(state, exception));
        }
    }
}
