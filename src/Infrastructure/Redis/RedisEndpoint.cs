using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Shared.Definitions;

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
    /// <exception cref="RedisUnsuitableException">Nothing answers, no Lua, not atomic, full, a replica, a cluster that is not whole, or it evicts keys; the message has the remedy.</exception>
    public async Task<IConnectionMultiplexer> ConnectAsync(CancellationToken cancellationToken)
    {
        Warnings = await CheckAsync(cancellationToken);
        return await OpenAsync(Options(), cancellationToken);
    }

    /// <summary>What its servers say of their memory now: an eviction policy or a limit may be set while workers run. Cheap: a connection and one INFO a server.</summary>
    /// <exception cref="RedisUnsuitableException">Nothing answers.</exception>
    public async Task<IReadOnlyList<string>> LookAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(AdminOptions(), cancellationToken);
        return await RedisSuitability.LookAsync(connection).WaitAsync(cancellationToken);
    }

    /// <summary>The memory of its primaries; null where they do not say (INFO is forbidden, or it is a Garnet).</summary>
    /// <exception cref="RedisUnsuitableException">Nothing answers.</exception>
    public async Task<StoreMemory?> MemoryAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(AdminOptions(), cancellationToken);
        return await RedisSuitability.MemoryAsync(connection).WaitAsync(cancellationToken);
    }

    public override string ToString()
    {
        var options = ConfigurationOptions.Parse(Configuration);
        return $"{(IsEmbedded ? "embedded Redis" : "Redis")} at {string.Join(',', options.EndPoints.Select(EndPointCollection.ToString))}";
    }

    /// <summary>INFO and CONFIG need a connection that could also do harm, so it lives for the check only.</summary>
    private async Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellationToken)
    {
        var options = AdminOptions();
        await using var connection = await OpenAsync(options, cancellationToken);
        await using var disturber = await OpenAsync(options, cancellationToken);
        return await new RedisSuitability(connection, disturber, TimeProvider.System).CheckAsync(cancellationToken).WaitAsync(cancellationToken);
    }

    private async Task<ConnectionMultiplexer> OpenAsync(ConfigurationOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken);
        }
        catch (RedisConnectionException e)
        {
            // What the client library says is for programmers: which property of its options to set.
            var why = e.FailureType == ConnectionFailureType.AuthenticationFailure ? "refuses the user or password that it is given" : "does not answer";
            throw new RedisUnsuitableException($"{this} {why} ({e.FailureType}): start it, or name another by --redis (STREAMML_REDIS) as host:port[,user=NAME,password=TEXT,ssl=true].", e);
        }
    }

    private ConfigurationOptions AdminOptions()
    {
        var options = Options();
        options.AllowAdmin = true;
        return options;
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
