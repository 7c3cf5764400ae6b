using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>
/// The servers of one process: those that were named, and embedded ones for the rest. Dispose it after every host that uses it; the embedded
/// servers and what they hold end with it.
/// </summary>
public sealed class Installation : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> owned = new();

    private Installation(InstallationOptions options) => Options = options;

    public InstallationOptions Options { get; }

    public KafkaEndpoint Kafka { get; private set; } = null!;

    public RedisEndpoint RedisEndpoint { get; private set; } = null!;

    public IConnectionMultiplexer Redis { get; private set; } = null!;

    public SchemaRegistryClient Registry { get; private set; } = null!;

    public IStateStore Store { get; private set; } = null!;

    /// <exception cref="RedisUnsuitableException">The Redis cannot hold states safely; says what to set.</exception>
    public static async Task<Installation> StartAsync(InstallationOptions options, CancellationToken cancellationToken, ILoggerFactory? loggers = null)
    {
        var installation = new Installation(options);
        try
        {
            await installation.StartServersAsync(loggers ?? NullLoggerFactory.Instance, cancellationToken);
            return installation;
        }
        catch
        {
            await installation.DisposeAsync();
            throw;
        }
    }

    /// <summary>Registers what the workers share.</summary>
    public void AddTo(IServiceCollection services, Catalog catalog)
    {
        services.AddSingleton(Options);
        services.AddSingleton(catalog);
        services.AddSingleton(Kafka);
        services.AddSingleton(RedisEndpoint);
        services.AddSingleton(Redis);
        services.AddSingleton(Registry);
        services.AddSingleton(Store);
        services.AddSingleton<IStoreDirectory>(new RedisStoreDirectory(Redis));
        services.TryAddSingleton(TimeProvider.System);
        if (!RedisEndpoint.IsEmbedded)
            services.AddHostedService<StoreWatch>();
    }

    /// <summary>What other processes need to reach the same servers.</summary>
    public EndpointsFile Endpoints(string? api, string? catalog) => new(Kafka.BootstrapServers, RedisEndpoint.Configuration, Registry.Url, api, catalog);

    public async ValueTask DisposeAsync()
    {
        while (owned.TryPop(out var server))
            await server.DisposeAsync();
    }

    private async Task StartServersAsync(ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        Kafka = Options.Kafka is { } bootstrap ? KafkaEndpoint.Of(bootstrap) : KafkaEndpoint.Of(Own(EmbeddedKafka.Start(keptRecords: Options.EmbeddedKafkaKeptRecords)));
        RedisEndpoint = Options.Redis is { } redis ? RedisEndpoint.Of(redis) : RedisEndpoint.Of(Own(EmbeddedRedis.Start(loggers: loggers)));
        var url = Options.Registry ?? Own(await EmbeddedRegistry.StartAsync(Path.Combine(Options.Directory, "registry"), cancellationToken: cancellationToken)).Url;
        Registry = new SchemaRegistryClient(url);
        Redis = Own(await RedisEndpoint.ConnectAsync(cancellationToken));
        Store = new RedisStateStore(Redis);
    }

    private T Own<T>(T server)
        where T : IAsyncDisposable
    {
        owned.Push(server);
        return server;
    }
}
