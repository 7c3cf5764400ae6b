using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Redis;
using Testcontainers.Redis;
using Xunit;

namespace StreamMl.TestKit.Servers;

/// <summary>
/// One Redis for a test assembly, the most real one that this machine has: redis-server on the PATH, a container, or the embedded one.
/// Tests share it: take key names from <see cref="TestEnvironment.UniqueName"/>, and never flush it.
/// </summary>
public sealed class RedisFixture : IAsyncLifetime
{
    public const string Image = "redis:7";

    private readonly List<string> refusals = [];
    private RedisEndpoint? endpoint;
    private IAsyncDisposable? server;
    private IConnectionMultiplexer? connection;

    public ServerKind Kind { get; private set; }

    public RedisEndpoint Endpoint => endpoint ?? throw new InvalidOperationException("The fixture was not initialized.");

    /// <summary>A connection that all tests may use.</summary>
    public IConnectionMultiplexer Connection => connection ?? throw new InvalidOperationException("The fixture was not initialized.");

    /// <summary>Why it is not a more real one.</summary>
    public string Why => string.Join("; ", refusals);

    public async ValueTask InitializeAsync()
    {
        if (!await TryProcessAsync() && !await TryContainerAsync())
        {
            var embedded = EmbeddedRedis.Start();
            (endpoint, server, Kind) = (RedisEndpoint.Of(embedded), embedded, ServerKind.Embedded);
        }

        connection = await Endpoint.ConnectAsync(CancellationToken.None);
    }

    /// <summary>Skips the test on the embedded Redis, saying why no real one is there.</summary>
    public void RequireReal(string what)
    {
        if (Kind == ServerKind.Embedded) TestEnvironment.Skip($"{what}: the embedded Redis does not do it, and {Why}.");
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is not null) await connection.DisposeAsync();
        if (server is not null) await server.DisposeAsync();
    }

    private async Task<bool> TryProcessAsync()
    {
        if (TestEnvironment.Forced is not (null or ServerKind.Process)) return Refuse("another kind was asked for");
        if (RedisProcess.RedisServer is not { } program) return Refuse("no redis-server on the PATH");
        var process = await RedisProcess.StartAsync(program);
        (endpoint, server, Kind) = (RedisEndpoint.Of(process.Endpoint), process, ServerKind.Process);
        return true;
    }

    private async Task<bool> TryContainerAsync()
    {
        if (TestEnvironment.Forced is not (null or ServerKind.Container)) return Refuse("another kind was asked for");
        if (TestEnvironment.WhyNoContainer(Image) is { } why) return Refuse(why);
        var container = new RedisBuilder(Image).Build();
        await container.StartAsync();
        (endpoint, server, Kind) = (RedisEndpoint.Of(container.GetConnectionString()), container, ServerKind.Container);
        return true;
    }

    private bool Refuse(string reason)
    {
        refusals.Add(reason);
        return false;
    }
}
