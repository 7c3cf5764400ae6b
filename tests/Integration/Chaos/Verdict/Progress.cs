using System.Text;
using Confluent.Kafka;
using StackExchange.Redis;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Integration.Tests.Chaos.Servers;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;

namespace StreamMl.Integration.Tests.Chaos.Verdict;

/// <summary>Where the logs end, and how far the store says that they are applied. Not thread-safe.</summary>
internal sealed class Progress : IAsyncDisposable
{
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(30);
    private readonly IReadOnlyList<LogPlan> plans;
    private readonly IConnectionMultiplexer redis;
    private readonly IConsumer<byte[], byte[]> broker;

    private Progress(Catalog catalog, IConnectionMultiplexer redis, IConsumer<byte[], byte[]> broker)
    {
        (this.redis, this.broker) = (redis, broker);
        plans = LogPlan.Of(catalog);
        Store = new RedisStateStore(redis);
        Partitions = [.. plans.SelectMany(p => Enumerable.Range(0, p.Source.Partitions).Select(i => new PartitionId(p.Topic, i)))];
    }

    public RedisStateStore Store { get; }

    /// <summary>Of all logs, the source's first.</summary>
    public IReadOnlyList<PartitionId> Partitions { get; }

    public static async Task<Progress> OpenAsync(Catalog catalog, ChaosStore store, KafkaEndpoint kafka) => new(
        catalog, await RedisEndpoint.Of(store.Endpoint).ConnectAsync(CancellationToken.None),
        new KafkaConsumerFactory(kafka).CreateClient(new RecordSourceOptions { GroupId = "chaos.ends", ClientSettings = new Dictionary<string, string>([PartitionEnds.ForgetLeaders]) }));

    /// <summary>One past the last offset.</summary>
    public long EndOf(PartitionId partition) => PartitionEnds.Ask(broker, new TopicPartition(partition.Topic, partition.Partition), BrokerPatience).High.Value;

    public IReadOnlyDictionary<PartitionId, long> Ends() => Partitions.ToDictionary(p => p, EndOf);

    /// <summary>The least of each log partition's own position and those of its views; null while the store is away.</summary>
    public async Task<IReadOnlyDictionary<PartitionId, long>?> AppliedAsync()
    {
        try
        {
            var applied = new Dictionary<PartitionId, long>();
            foreach (var partition in Partitions)
                applied[partition] = await ReadAsync(plans.Single(p => p.Topic == partition.Topic), partition);
            return applied;
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        broker.Dispose();
        await redis.DisposeAsync();
    }

    private async Task<long> ReadAsync(LogPlan plan, PartitionId partition)
    {
        var keys = new PackedBytes();
        foreach (var key in plan.PositionKeys(partition))
            keys.Add(Encoding.UTF8.GetBytes(key));
        using var values = await Store.ReadAsync(keys, CancellationToken.None);
        return Enumerable.Range(0, keys.Count).Min(i => values.Has(i) ? PositionRecord.Decode(values[i]).NextOffset : 0);
    }
}
