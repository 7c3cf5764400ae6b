using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>Asks the named servers of an installation what they hold. Changes nothing. Thread-safe.</summary>
public static class RunningStateReader
{
    /// <param name="catalog">Whose topics are asked for.</param>
    /// <param name="options">The servers; one that is not named is not asked.</param>
    /// <param name="cancellationToken">Ends the questions.</param>
    public static async Task<RunningState> ReadAsync(Catalog catalog, InstallationOptions options, CancellationToken cancellationToken) => new(
        options.Redis is { } redis ? await ViewsAsync(redis, cancellationToken) : null,
        options.Registry is { } registry ? await SchemasAsync(catalog, registry, cancellationToken) : null,
        options.Kafka is { } kafka ? await PartitionsAsync(catalog, kafka, cancellationToken) : null)
    {
        Memory = options.Redis is { } store ? await RedisEndpoint.Of(store).MemoryAsync(cancellationToken) : null,
    };

    private static async Task<IReadOnlyList<StoredView>> ViewsAsync(string configuration, CancellationToken cancellationToken)
    {
        await using var redis = await RedisEndpoint.Of(configuration).ConnectAsync(cancellationToken);
        return await new RedisStoreDirectory(redis).ViewsAsync(cancellationToken);
    }

    private static async Task<IReadOnlyDictionary<string, string>> SchemasAsync(Catalog catalog, string url, CancellationToken cancellationToken)
    {
        using var registry = new SchemaRegistryClient(url);
        var schemas = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var topic in catalog.Sources.Select(s => s.Topic).Distinct(StringComparer.Ordinal))
        {
            if (await registry.LatestAsync($"{topic}-value", cancellationToken) is { } latest)
                schemas.Add(topic, latest.Schema);
        }

        return schemas;
    }

    private static async Task<IReadOnlyDictionary<string, int>> PartitionsAsync(Catalog catalog, string servers, CancellationToken cancellationToken)
    {
        using var admin = new TopicAdmin(KafkaEndpoint.Of(servers));
        var partitions = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var topic in catalog.Sources.SelectMany(s => LogNames.LogsOf(catalog, s)).Distinct(StringComparer.Ordinal))
        {
            if (await admin.PartitionCountAsync(topic, cancellationToken) is { } count)
                partitions.Add(topic, count);
        }

        return partitions;
    }
}
