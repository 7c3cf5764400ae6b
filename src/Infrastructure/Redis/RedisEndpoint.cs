using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;

namespace StreamMl.Infrastructure.Redis;

/// <summary>Where Redis is: a connection string for StackExchange.Redis and, where it runs in this process, the embedded server.</summary>
public sealed class RedisEndpoint
{
    private RedisEndpoint(string configuration, EmbeddedRedis? embedded)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(configuration);
        Configuration = configuration;
        Embedded = embedded;
    }

    /// <summary>May hold a password: log <see cref="ToString"/> instead.</summary>
    public string Configuration { get; }

    public EmbeddedRedis? Embedded { get; }

    /// <summary>What the last <see cref="ConnectAsync"/> found that is allowed, but should be known: a server that keeps nothing on disk, or is almost full.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    public bool IsEmbedded => Embedded is not null;

    public static RedisEndpoint Of(EmbeddedRedis embedded) => new(embedded.Endpoint, embedded);

    /// <param name="configuration">
    /// <c>host:port</c>, several by commas, and options, as StackExchange.Redis reads them. Any node of a cluster names the whole cluster; sentinels are named with
    /// <c>serviceName=NAME</c>.
    /// </param>
    public static RedisEndpoint Of(string configuration) => new(configuration, null);

    /// <summary>Connects and checks that what is there can hold the product's state.</summary>
    /// <exception cref="RedisUnsuitableException">No Lua, not atomic, full, a replica, a cluster that is not whole, or it evicts keys; the message has the remedy.</exception>
    /// <exception cref="RedisConnectionException">Nothing answers there.</exception>
    public async Task<IConnectionMultiplexer> ConnectAsync(CancellationToken cancellationToken)
    {
        Warnings = await CheckAsync(cancellationToken);
        return await ConnectionMultiplexer.ConnectAsync(Options()).WaitAsync(cancellationToken);
    }

    public override string ToString()
    {
        var options = ConfigurationOptions.Parse(Configuration);
        return $"{(IsEmbedded ? "embedded Redis" : "Redis")} at {string.Join(',', options.EndPoints.Select(EndPointCollection.ToString))}";
    }

    /// <summary>INFO and CONFIG need a connection that could also do harm, so it lives for the check only.</summary>
    private async Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellationToken)
    {
        var options = Options();
        options.AllowAdmin = true;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken);
        await using var disturber = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken);
        return await new RedisSuitability(connection, disturber, TimeProvider.System).CheckAsync(cancellationToken).WaitAsync(cancellationToken);
    }

    private ConfigurationOptions Options()
    {
        var options = ConfigurationOptions.Parse(Configuration);
        options.ClientName ??= "streamml";

        // A call that waits for a lost server must fail soon: the caller replays from the log, it does not queue.
        options.BacklogPolicy = BacklogPolicy.FailFast;
        return options;
    }
}

/// <summary>The Redis that answered can not hold the product's state.</summary>
public sealed class RedisUnsuitableException(string message, Exception? inner = null) : Exception(message, inner);
