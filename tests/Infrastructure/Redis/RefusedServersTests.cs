using StreamMl.Infrastructure.Redis;
using StreamMl.TestKit.Servers;

namespace StreamMl.Infrastructure.Tests.Redis;

/// <summary>Real servers that are set up wrong, each refused when first connected: the message has the value, the limit and what to do.</summary>
public sealed class RefusedServersTests
{
    [Fact]
    public async Task Connect_RedisThatEvicts_IsRefused()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
        await ShouldRefuseAsync(server.Endpoint, "maxmemory-policy 'allkeys-lru' and maxmemory 100.0 MiB", "CONFIG SET maxmemory-policy noeviction");
    }

    [Fact]
    public async Task Connect_EvictionPolicyWithoutALimit_IsTakenWithAWarning()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--maxmemory-policy", "allkeys-lru");
        (await WarningsAsync(server)).ShouldContain(w => w.Contains("maxmemory-policy 'allkeys-lru', and no maxmemory yet", StringComparison.Ordinal) && w.Contains("CONFIG SET maxmemory-policy noeviction", StringComparison.Ordinal));
        await server.AskAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        (await WarningsAsync(server)).ShouldNotContain(w => w.Contains("maxmemory", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connect_NothingListens_SaysWhichOptionAndNotWhichCode()
    {
        var endpoint = $"127.0.0.1:{RedisProcess.FreePort()}";
        var error = await Should.ThrowAsync<RedisUnsuitableException>(RedisEndpoint.Of($"{endpoint},connectTimeout=500,connectRetry=1").ConnectAsync(CancellationToken.None));
        error.Message.ShouldContain(endpoint);
        error.Message.ShouldContain("--redis");
        error.Message.ShouldNotContain("abortConnect");
    }

    [Fact]
    public async Task Connect_RedisWithoutEvalsha_IsNotToldToStartGarnet()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--rename-command", "EVALSHA", "");
        await ShouldRefuseAsync(server.Endpoint, "rename-command", "EVALSHA");
    }

    [Fact]
    public async Task Look_LimitSetOnAServerThatEvicts_IsFoundWhileItRuns()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--maxmemory-policy", "allkeys-lru");
        var endpoint = RedisEndpoint.Of(server.Endpoint);
        (await endpoint.LookAsync(CancellationToken.None)).ShouldContain(w => w.Contains("no maxmemory yet", StringComparison.Ordinal));
        await server.AskAsync("CONFIG", "SET", "maxmemory", "100mb");
        (await endpoint.LookAsync(CancellationToken.None)).ShouldContain(w => w.Contains("maxmemory 100.0 MiB", StringComparison.Ordinal) && w.Contains("noeviction", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connect_FullRedis_IsRefusedWithWhatItUsesAndItsLimit()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--maxmemory", "100mb");
        await FillAsync(server, megabytes: 8);
        await server.AskAsync("CONFIG", "SET", "maxmemory", "6mb");
        await ShouldRefuseAsync(server.Endpoint, "of maxmemory 6.0 MiB", "Raise maxmemory", "streamml plan");
    }

    [Fact]
    public async Task Connect_AlmostFullRedis_IsTakenWithAWarning()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--maxmemory", "100mb");
        await FillAsync(server, megabytes: 40);
        await server.AskAsync("CONFIG", "SET", "maxmemory", "57mb");
        (await WarningsAsync(server)).ShouldContain(w => w.Contains("of maxmemory 57.0 MiB", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connect_Replica_IsRefusedAndNamesItsPrimary()
    {
        await using var primary = await RedisProcess.StartAsync(RedisProcess.RedisServer);
        await using var replica = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--replicaof", $"127.0.0.1 {primary.Port}");
        await ShouldRefuseAsync(replica.Endpoint, $"is a replica of 127.0.0.1:{primary.Port}", "serviceName");
    }

    [Theory]
    [InlineData("-evalsha")]
    [InlineData("-eval")]
    [InlineData("-mget")]
    [InlineData("-mset")]
    [InlineData("-del")]
    [InlineData("resetkeys")]
    public async Task Connect_UserWithoutARight_IsRefusedWithTheRights(string lacking)
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer);
        await server.AskAsync("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", lacking);
        await ShouldRefuseAsync($"{server.Endpoint},user=limited,password=secret", CommitProbe.Rights);
    }

    [Fact]
    public async Task Connect_UserWithNoMoreThanTheNamedRights_IsTaken()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer);
        await server.AskAsync(["ACL", "SETUSER", "limited", "on", ">secret", .. CommitProbe.Rights.Split(' ')]);
        await using var connection = await RedisEndpoint.Of($"{server.Endpoint},user=limited,password=secret").ConnectAsync(CancellationToken.None);
        connection.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task Connect_RedisWhoseLuaWasRenamedAway_IsRefused()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--rename-command", "EVAL", "");
        await ShouldRefuseAsync(server.Endpoint, "does not run Lua scripts", "+eval");
    }

    [Fact]
    public async Task Connect_TooFewReplicas_IsRefused()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--min-replicas-to-write", "1");
        await ShouldRefuseAsync(server.Endpoint, "NOREPLICAS", "min-replicas-to-write");
    }

    [Fact]
    public async Task Connect_ClusterNodeWithoutSlots_IsRefusedWithTheirNumber()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer, "--cluster-enabled", "yes", "--cluster-port", $"{RedisProcess.FreePort()}");
        await ShouldRefuseAsync(server.Endpoint, "0 of 16384 slots have a server", "--cluster create");
        await server.AskAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16000");
        await ShouldRefuseAsync(server.Endpoint, "16001 of 16384 slots have a server", "--cluster fix");
    }

    [Fact]
    public async Task Connect_RedisThatKeepsNothing_IsTakenWithAWarning()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer);
        (await WarningsAsync(server)).ShouldHaveSingleItem().ShouldContain("appendonly yes");
        await server.AskAsync("CONFIG", "SET", "appendonly", "yes");
        (await WarningsAsync(server)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Connect_Checked_LeavesNoKey()
    {
        await using var server = await RedisProcess.StartAsync(RedisProcess.RedisServer);
        await WarningsAsync(server);
        (await server.AskAsync("DBSIZE")).ShouldBe("0");
    }

    private static async Task<IReadOnlyList<string>> WarningsAsync(RedisProcess server)
    {
        var endpoint = RedisEndpoint.Of(server.Endpoint);
        await using var connection = await endpoint.ConnectAsync(CancellationToken.None);
        return endpoint.Warnings;
    }

    private static async Task ShouldRefuseAsync(string configuration, params string[] parts)
    {
        var error = await Should.ThrowAsync<RedisUnsuitableException>(RedisEndpoint.Of(configuration).ConnectAsync(CancellationToken.None));
        foreach (var part in parts)
            error.Message.ShouldContain(part);
    }

    private static async Task FillAsync(RedisProcess server, int megabytes)
    {
        for (var i = 0; i < megabytes; i++)
            await server.AskAsync("SETRANGE", $"filler{i}", "1048575", "x");
    }
}
