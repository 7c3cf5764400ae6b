using Confluent.Kafka;
using Confluent.Kafka.Admin;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit.Servers;
using static StreamMl.StreamFeatures.Tests.FeatureWorkerTests;

namespace StreamMl.StreamFeatures.Tests.Lab;

/// <summary>One topic of a real Kafka whose records can be dropped and whose partitions can be added, with workers over it and a store that can be emptied.</summary>
internal sealed class CutLab : IAsyncDisposable
{
    private static readonly (Landing? Event, long ArrivalUs)[] Log = RandomLog.Records(1_000, 1_000).Single(_ => true, "0000000000000");

    private readonly KafkaFixture kafka;
    private readonly IConnectionMultiplexer redis;
    private readonly EmbeddedRegistry registry;
    private readonly IAdminClient admin;
    private readonly int schemaId;

    private CutLab(KafkaFixture kafka, IConnectionMultiplexer redis, EmbeddedRegistry registry, Catalog catalog, int schemaId)
    {
        (this.kafka, this.redis, this.registry, Catalog, this.schemaId) = (kafka, redis, registry, catalog, schemaId);
        Store = new RedisStateStore(redis);
        admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.Endpoint.BootstrapServers }).Build();
    }

    public Catalog Catalog { get; set; }

    public string Topic => Catalog.Sources[0].Topic;

    public IStateStore Store { get; }

    public string? Archive { get; set; }

    public static async Task<CutLab> StartAsync(KafkaFixture kafka, RedisFixture redis, string name, params string[] views)
    {
        kafka.RequireReal("deleted records and added partitions");
        var schemaRegistry = await EmbeddedRegistry.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var topic = TestEnvironment.UniqueName(name);
        var catalog = TestCatalog.With(views.Length > 0 ? views : ["aircraft_landed"]) with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        using var schemas = new SchemaRegistryClient(schemaRegistry.Url);
        return new CutLab(kafka, redis.Connection, schemaRegistry, catalog, await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default));
    }

    public IHost Worker() => Host(Catalog, kafka.Endpoint, Store, registry.Url, services => services.Configure<StreamFeaturesOptions>(o => (o.IdleCheckMs, o.ArchiveDirectory) = (200, Archive)));

    public Task<int> ProduceAsync(int from, int to) => FeatureWorkerTests.ProduceAsync(kafka.Endpoint, Topic, Log[from..to], schemaId);

    /// <summary>Runs a worker until the ledger has counted so many.</summary>
    public async Task WorkAsync(int records)
    {
        using var host = Worker();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await CountedAsync(records);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    public Task CountedAsync(int records) => TestKit.Eventually.Until(() => IsDoneAsync(Store, Catalog, records), () => $"{records} sent");

    /// <summary>Starts a worker that must fail.</summary>
    public async Task<T> FaultAsync<T>()
        where T : Exception
    {
        using var host = Worker();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return await FaultOfAsync<T>(host);
    }

    public static async Task<T> FaultOfAsync<T>(IHost host)
        where T : Exception
    {
        var worker = host.Services.GetServices<IHostedService>().OfType<FeatureWorker>().Single();
        await TestKit.Eventually.Until(() => worker.ExecuteTask!.IsCompleted, () => "the worker runs");
        return worker.ExecuteTask!.Exception!.InnerException.ShouldBeOfType<T>();
    }

    /// <summary>Drops the records of both partitions below an offset; answers what is lost to whoever stands at the positions, by partition.</summary>
    public Task CutAsync(params long[] to) => admin.DeleteRecordsAsync(to.Select((offset, p) => new TopicPartitionOffset(Topic, p, offset)));

    public Task AddPartitionAsync() => admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = Topic, IncreaseTo = FeatureWorkerTests.Partitions + 1 }]);

    /// <summary>The store's keys of the topic, or of one partition, are gone.</summary>
    public async Task EmptyStoreAsync(int? partition = null)
    {
        var keys = new List<RedisKey>();
        await foreach (var key in redis.GetServers()[0].KeysAsync(pattern: partition is { } p ? $"{{{Topic}/{p}}}*" : $"{{{Topic}*"))
            keys.Add(key);
        await redis.GetDatabase().KeyDeleteAsync([.. keys]);
    }

    public Task SetAsync(string key, byte[] value) => redis.GetDatabase().StringSetAsync(key, value);

    /// <summary>The log's own positions.</summary>
    public async Task<IReadOnlyList<PositionRecord>> PositionsAsync()
    {
        var positions = new List<PositionRecord>();
        foreach (var partition in Parts(Topic))
            positions.Add(PositionRecord.Decode(await ReadAsync(Store, LogNames.SourcePositionKey(partition))));
        return positions;
    }

    public async Task<IReadOnlyList<long>> EndsAsync()
    {
        using var topics = new TopicAdmin(kafka.Endpoint);
        var ends = new List<long>();
        foreach (var partition in Parts(Topic))
            ends.Add((await topics.OffsetsAsync(partition, default)).High);
        return ends;
    }

    public async ValueTask DisposeAsync()
    {
        admin.Dispose();
        await registry.DisposeAsync();
    }
}
