using System.Text;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;
using StreamMl.TestKit.Store;

namespace StreamMl.StreamFeatures.Tests;

/// <summary>The hosted worker on servers: every byte of the store equals a straight run over the same logs, also after a restart in between.</summary>
public sealed class FeatureWorkerTests(KafkaFixture kafka, RedisFixture redis)
{
    internal const int Partitions = 2;

    [Fact]
    public async Task Worker_OnTheServersOfThisMachine_StoreEqualsStraightRun() =>
        await RunAsync(kafka.Endpoint, redis.Connection, TestEnvironment.UniqueName(TestCatalog.Topic), records: 6_000);

    [Fact]
    public async Task Worker_OnEmbeddedServers_StoreEqualsStraightRun()
    {
        await using var embeddedKafka = EmbeddedKafka.Start();
        await using var embeddedRedis = EmbeddedRedis.Start(new EmbeddedRedisOptions { Memory = "64m" });
        await using var connection = await RedisEndpoint.Of(embeddedRedis).ConnectAsync(default);
        await RunAsync(KafkaEndpoint.Of(embeddedKafka), connection, TestCatalog.Topic, records: 6_000);
    }

    private static async Task RunAsync(KafkaEndpoint endpoint, IConnectionMultiplexer connection, string topic, int records)
    {
        await using var registry = await EmbeddedRegistry.StartAsync();
        var catalog = TestCatalog.Catalog with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = Partitions }] };
        var log = RandomLog.Records(records, records).Single(_ => true, "0000000000000");
        using var schemas = new SchemaRegistryClient(registry.Url);
        var schemaId = await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default);
        var store = new RedisStateStore(connection);
        var sent = 0L;
        foreach (var part in log.Chunk((records / 2) + 1))
        {
            using var host = Host(catalog, endpoint, store, registry.Url);
            await host.StartAsync();
            sent += await ProduceAsync(endpoint, topic, part, schemaId);
            await TestKit.Eventually.Until(() => IsDoneAsync(store, catalog, sent), () => $"{sent} sent");
            await host.StopAsync();
        }

        await ShouldEqualStraightRunAsync(endpoint, store, catalog);
    }

    internal static IHost Host(Catalog catalog, KafkaEndpoint endpoint, IStateStore store, string registry, Action<IServiceCollection>? configure = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(catalog).AddSingleton(endpoint).AddSingleton(store).AddSingleton(new SchemaRegistryClient(registry)).AddStreamFeatures();
        builder.Services.Configure<StreamFeaturesOptions>(o => o.GroupId = $"features.{catalog.Sources[0].Topic}");
        configure?.Invoke(builder.Services);
        return builder.Build();
    }

    internal static async Task<int> ProduceAsync(KafkaEndpoint endpoint, string topic, (Landing? Event, long ArrivalUs)[] part, int schemaId)
    {
        using var admin = new TopicAdmin(endpoint);
        await admin.EnsureTopicAsync(topic, Partitions, default);
        await using var producer = new KafkaProducerFactory(endpoint).Create();
        foreach (var (landing, arrivalUs) in part)
        {
            var value = landing?.Encode() ?? [0, 0, 0, 0, 0, 255, 255];
            value[4] = (byte)schemaId;
            await producer.SendAsync(topic, landing?.Key ?? [1], value, arrivalUs, null, default);
        }

        await producer.FlushAsync(default);
        return part.Length;
    }

    internal static async Task<bool> IsDoneAsync(IStateStore store, Catalog catalog, long sent)
    {
        var plans = LogPlan.Of(catalog);
        long read = 0;
        foreach (var partition in Parts(plans[0].Topic))
        {
            read += LedgerRecord.Decode(await ReadAsync(store, LogNames.LedgerKey(partition))).Read;
            foreach (var (topic, ends) in RoutesRecord.Decode(await ReadAsync(store, LogNames.RoutesKey(partition))))
            {
                foreach (var target in Parts(topic))
                {
                    var position = await ReadAsync(store, LogNames.SourcePositionKey(target));
                    if (ends[target.Partition] > 0 && (position is null || PositionRecord.Decode(position).NextOffset < ends[target.Partition]))
                        return false;
                }
            }
        }

        return read == sent;
    }

    internal static async Task ShouldEqualStraightRunAsync(KafkaEndpoint endpoint, IStateStore store, Catalog catalog)
    {
        foreach (var partition in LogPlan.Of(catalog).SelectMany(plan => Parts(plan.Topic)))
        {
            var quiet = new FakeBroker(Partitions);
            var end = PositionRecord.Decode(await ReadAsync(store, LogNames.SourcePositionKey(partition))).NextOffset;
            if (CopyLog(endpoint, partition, quiet, end) == 0)
                continue;
            var straight = new InMemoryStateStore();
            await new PipelineLab(quiet, straight, catalog).RunStraightAsync(partition, end);
            var expected = PipelineLab.Content(straight, partition);
            var actual = new InMemoryStateStore();
            var copy = new StoreCommit(partition);
            foreach (var key in straight.Snapshot().Keys)
            {
                if (await ReadAsync(store, key) is { } value)
                    copy.Set(Encoding.Latin1.GetBytes(key), value);
            }

            await actual.CommitAsync(copy, default);
            PipelineLab.Content(actual, partition).ShouldBe(expected, $"{partition}");
            PipelineLab.Ledger(actual, partition).Balances.ShouldBeTrue();
        }
    }

    /// <summary>States alone: a view that was built beside others has seen the same records, and the ledger counts what the worker of the log made of them then.</summary>
    internal static async Task ViewsShouldEqualStraightRunAsync(KafkaEndpoint endpoint, IStateStore store, Catalog catalog)
    {
        foreach (var partition in LogPlan.Of(catalog).SelectMany(plan => Parts(plan.Topic)))
        {
            var quiet = new FakeBroker(Partitions);
            var end = PositionRecord.Decode(await ReadAsync(store, LogNames.SourcePositionKey(partition))).NextOffset;
            if (CopyLog(endpoint, partition, quiet, end) == 0)
                continue;
            var straight = new InMemoryStateStore();
            await new PipelineLab(quiet, straight, catalog).RunStraightAsync(partition, end);
            foreach (var (key, value) in straight.Snapshot().Where(e => e.Key.Contains('@')))
            {
                var actual = (await ReadAsync(store, key)).ShouldNotBeNull(key);
                if (key.EndsWith("!pos", StringComparison.Ordinal))
                    (PositionRecord.Decode(actual) with { Epoch = 0 }).Encode().ShouldBe((PositionRecord.Decode(value) with { Epoch = 0 }).Encode(), key);
                else
                    actual.ShouldBe(value, key);
            }
        }
    }

    private static long CopyLog(KafkaEndpoint endpoint, PartitionId partition, FakeBroker into, long end)
    {
        using var source = new KafkaConsumerFactory(endpoint).CreateManagedSource();
        using var batch = new RawRecordBatch();
        source.Assign([new PartitionStart(partition, PartitionStart.Beginning)]);
        var (copied, next) = (0L, 0L);
        while (next < end)
        {
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count && batch.Records[i].Offset < end; i++, copied++)
            {
                var headers = batch.TryGetHeader(i, Encoding.ASCII.GetBytes(LogNames.SourcePositionHeader), out var origin)
                    ? new[] { new OutgoingHeader(LogNames.SourcePositionHeader, origin.ToArray()) } : [];
                into.Append(partition, batch.Records[i].TimestampUs, batch.Key(i).ToArray(), batch.Value(i).ToArray(), headers, batch.Records[i].Offset);
            }

            next = Math.Max(next, batch.Count > 0 ? batch.Records[batch.Count - 1].Offset + 1 : 0);
            next = Math.Max(next, batch.Ends.Count > 0 ? batch.Ends.Max(e => e.Offset) : 0);
        }

        return copied;
    }

    internal static async Task<byte[]?> ReadAsync(IStateStore store, string key)
    {
        var keys = new PackedBytes();
        keys.Add(Encoding.Latin1.GetBytes(key));
        using var values = await store.ReadAsync(keys, default);
        return values.ToArray(0);
    }

    internal static IEnumerable<PartitionId> Parts(string topic) => Enumerable.Range(0, Partitions).Select(p => new PartitionId(topic, p));
}
