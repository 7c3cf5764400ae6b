using System.Collections.Concurrent;
using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Redis;
using StreamMl.TestKit.Servers;

namespace StreamMl.Infrastructure.Tests.Store;

/// <summary>The servers of every <see cref="StoreKind"/> but the machine's own Redis, each started when a test first asks for it. Thread-safe.</summary>
public sealed class StoreServers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<StoreKind, Lazy<Task<IConnectionMultiplexer>>> connections = new();
    private readonly ConcurrentStack<IAsyncDisposable> owned = new();

    /// <summary>Skips the test where the kind is not installed.</summary>
    public Task<IConnectionMultiplexer> ConnectAsync(StoreKind kind)
    {
        if (kind is StoreKind.Valkey or StoreKind.ValkeyCluster && RedisProcess.ValkeyServer is null)
            TestEnvironment.Skip("no valkey-server on the PATH, and STREAMML_VALKEY names none: it is in Debian's bookworm-backports");
        if (kind == StoreKind.Cluster && RedisProcess.RedisServer is null)
            TestEnvironment.Skip("no redis-server on the PATH: install Debian's redis-server and redis-tools");
        return connections.GetOrAdd(kind, k => new Lazy<Task<IConnectionMultiplexer>>(() => StartAsync(k))).Value;
    }

    public async ValueTask DisposeAsync()
    {
        while (owned.TryPop(out var server))
            await server.DisposeAsync();
    }

    private async Task<IConnectionMultiplexer> StartAsync(StoreKind kind)
    {
        var endpoint = kind switch
        {
            StoreKind.Embedded => RedisEndpoint.Of(Own(EmbeddedRedis.Start(new EmbeddedRedisOptions { Memory = "64m" }))),
            StoreKind.Valkey => RedisEndpoint.Of(Own(await RedisProcess.StartAsync(RedisProcess.ValkeyServer)).Endpoint),
            StoreKind.Cluster => Own(await RedisCluster.StartAsync(RedisProcess.RedisServer)).Endpoint,
            StoreKind.ValkeyCluster => Own(await RedisCluster.StartAsync(RedisProcess.ValkeyServer)).Endpoint,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "the fixture of the assembly has it"),
        };
        return Own(await endpoint.ConnectAsync(CancellationToken.None));
    }

    private T Own<T>(T server)
        where T : IAsyncDisposable
    {
        owned.Push(server);
        return server;
    }
}
