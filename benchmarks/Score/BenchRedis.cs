using System.Diagnostics;
using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;

namespace StreamMl.Benchmarks.Score;

/// <summary>A redis-server of this process's own.</summary>
internal sealed class BenchRedis : IAsyncDisposable
{
    private readonly Process server;

    private BenchRedis(Process server, IConnectionMultiplexer connection) => (this.server, Connection) = (server, connection);

    public IConnectionMultiplexer Connection { get; }

    public static async Task<BenchRedis> StartAsync()
    {
        var port = FreePort.Next();
        var started = Process.Start(new ProcessStartInfo("redis-server", $"--port {port} --bind 127.0.0.1 --save \"\" --appendonly no --loglevel warning") { RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("redis-server did not start: install Debian's package redis-server");
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new BenchRedis(started, await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},connectTimeout=1000,syncTimeout=60000,asyncTimeout=60000"));
            }
            catch (RedisConnectionException) when (attempt < 30)
            {
                // it is starting
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        server.Kill();
        await server.WaitForExitAsync();
        server.Dispose();
    }
}
