using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Redis;
using StreamMl.TestKit.Servers;

namespace StreamMl.Infrastructure.Tests.Redis;

public sealed class RedisEndpointTests
{
    [Fact]
    public async Task Connect_EmbeddedRedis_RunsAtomicScripts()
    {
        await using var embedded = EmbeddedRedis.Start();
        await using var connection = await RedisEndpoint.Of(embedded).ConnectAsync(CancellationToken.None);
        var answer = await connection.GetDatabase().ScriptEvaluateAsync(
            "redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], ARGV[1]); return redis.call('GET', KEYS[2])", ["{t}a", "{t}b"], ["v"]);
        ((string?)answer).ShouldBe("v");
    }

    [Fact]
    public async Task Connect_GarnetWithoutTransactionMode_IsRefusedWithTheRemedy()
    {
        int port = FreePort.Next();
        using var garnet = new Garnet.GarnetServer(["--bind", "127.0.0.1", "--port", $"{port}", "--lua"]);
        garnet.Start();
        // The probe looks for a torn script, which one connect need not see.
        RedisUnsuitableException? refusal = null;
        for (int attempt = 0; refusal is null && attempt < 50; attempt++)
        {
            try
            {
                await using var connection = await RedisEndpoint.Of($"127.0.0.1:{port}").ConnectAsync(CancellationToken.None);
            }
            catch (RedisUnsuitableException e)
            {
                refusal = e;
            }
        }

        refusal.ShouldNotBeNull().Message.ShouldContain("--lua-transaction-mode true");
    }

    [Fact]
    public async Task Connect_GarnetWithoutLua_IsRefusedWithTheRemedy()
    {
        int port = FreePort.Next();
        using var garnet = new Garnet.GarnetServer(["--bind", "127.0.0.1", "--port", $"{port}"]);
        garnet.Start();
        var error = await Should.ThrowAsync<RedisUnsuitableException>(RedisEndpoint.Of($"127.0.0.1:{port}").ConnectAsync(CancellationToken.None));
        error.Message.ShouldContain("--lua ");
    }

    [Fact]
    public async Task Start_WithDirectory_KeepsWhatWasWritten()
    {
        string directory = TestEnvironment.TemporaryDirectory("garnet");
        var options = new EmbeddedRedisOptions { Directory = directory };
        await using (var first = EmbeddedRedis.Start(options))
        {
            await using var connection = await RedisEndpoint.Of(first).ConnectAsync(CancellationToken.None);
            for (int i = 0; i < 100; i++)
            {
                await connection.GetDatabase().ScriptEvaluateAsync("redis.call('MSET', KEYS[1], ARGV[1]); return 1", [$"k{i}"], [new byte[100_000]]);
            }

            // Acknowledged by the append-only file, not only by the memory.
            await connection.GetDatabase().ExecuteAsync("COMMITAOF");
        }

        await using var second = EmbeddedRedis.Start(options);
        await using var again = await RedisEndpoint.Of(second).ConnectAsync(CancellationToken.None);
        for (int i = 0; i < 100; i++) ((byte[]?)await again.GetDatabase().StringGetAsync($"k{i}")).ShouldNotBeNull().Length.ShouldBe(100_000);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void ToString_WithPassword_DoesNotShowIt() =>
        RedisEndpoint.Of("host:6379,password=secret,ssl=true").ToString().ShouldBe("Redis at host:6379");
}
