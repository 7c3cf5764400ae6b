using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Rebuilding;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;
using static StreamMl.StreamFeatures.Tests.FeatureWorkerTests;

namespace StreamMl.StreamFeatures.Tests.Rebuilding;

/// <summary>The store is lost, rebuilt from the archive, and the hosted worker goes on: on this machine's most real servers.</summary>
public sealed class RebuildOnServersTests(KafkaFixture kafka, RedisFixture redis) : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("streamml-rebuild-").FullName;

    [Fact]
    public async Task Rebuild_AfterALostStore_WorkerGoesOnAsIfNothingHadHappened()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var registry = await EmbeddedRegistry.StartAsync(cancellationToken: stop);
        var topic = TestEnvironment.UniqueName(TestCatalog.Topic);
        var catalog = TestCatalog.Catalog with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        using var schemas = new SchemaRegistryClient(registry.Url);
        var schemaId = await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default);
        var store = new RedisStateStore(redis.Connection);
        var log = RandomLog.Records(3_000, 3_000).Single(_ => true, "0000000000000");
        await WorkAsync(catalog, store, registry.Url, log[..2_000], 2_000, schemaId);
        Archive(catalog, schemaId);
        var kept = await ContentAsync(store, catalog);

        var sweep = new StoreSweep(redis.Connection);
        var done = await new Rebuild(catalog, directory, kafka.Endpoint, store, new StreamFeaturesOptions(), TimeProvider.System, NullLoggerFactory.Instance)
        {
            MakeRoomAsync = async token =>
            {
                (await sweep.DeleteAsync(key => key.Log.Topic.StartsWith(topic, StringComparison.Ordinal), token)).ShouldBeGreaterThan(10);
                (await ContentAsync(store, catalog)).ShouldBeEmpty();
            },
        }.AllAsync(stop);

        done.ShouldAllBe(p => !p.TakenOver && p.FromOffset == 0);
        (await ContentAsync(store, catalog)).ShouldBe(kept);
        await WorkAsync(catalog, store, registry.Url, log[2_000..], 3_000, schemaId);
        await ShouldEqualStraightRunAsync(kafka.Endpoint, store, catalog);
    }

    [Fact]
    public async Task GroupIsActive_RealKafka_IsToldWhileAWorkerIsAMember()
    {
        kafka.RequireReal("a list of groups");
        await using var registry = await EmbeddedRegistry.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var topic = TestEnvironment.UniqueName(TestCatalog.Topic);
        var catalog = TestCatalog.Catalog with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        using var schemas = new SchemaRegistryClient(registry.Url);
        var schemaId = await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default);
        var store = new RedisStateStore(redis.Connection);
        using var admin = new TopicAdmin(kafka.Endpoint);
        (await admin.GroupIsActiveAsync($"features.{topic}", default)).ShouldBe(false);
        using (var host = Host(catalog, kafka.Endpoint, store, registry.Url))
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            await ProduceAsync(kafka.Endpoint, topic, RandomLog.Records(50, 50).Single(_ => true, "0000000000000"), schemaId);
            await TestKit.Eventually.Until(() => IsDoneAsync(store, catalog, 50), () => "not read");
            (await admin.GroupIsActiveAsync($"features.{topic}", default)).ShouldBe(true);
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        await TestKit.Eventually.Until(async () => await admin.GroupIsActiveAsync($"features.{topic}", default) == false, () => "still a member");
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private async Task WorkAsync(Catalog catalog, IStateStore store, string registry, (Landing? Event, long ArrivalUs)[] records, long sent, int schemaId)
    {
        using var host = Host(catalog, kafka.Endpoint, store, registry);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await ProduceAsync(kafka.Endpoint, catalog.Sources[0].Topic, records, schemaId);
        using var admin = new TopicAdmin(kafka.Endpoint);
        await TestKit.Eventually.Until(async () => await IsDoneAsync(store, catalog, sent) && await IsAtEndsAsync(admin, store, catalog), () => $"{sent} sent");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Past the markers of the last transactions too.</summary>
    private static async Task<bool> IsAtEndsAsync(TopicAdmin admin, IStateStore store, Catalog catalog)
    {
        foreach (var partition in LogPlan.Of(catalog).SelectMany(p => Parts(p.Topic)))
        {
            var end = (await admin.OffsetsAsync(partition, default)).High;
            if (end > 0 && (await ReadAsync(store, LogNames.SourcePositionKey(partition)) is not { } position || PositionRecord.Decode(position).NextOffset < end))
                return false;
        }

        return true;
    }

    private void Archive(Catalog catalog, int schemaId)
    {
        var layout = new ArchiveLayout(directory);
        layout.SaveSchema(schemaId, TestCatalog.Avro);
        layout.SaveNoSchema(65_535);
        using var admin = new TopicAdmin(kafka.Endpoint);
        foreach (var topic in LogPlan.Of(catalog).Select(p => p.Topic))
        {
            layout.SetPartitions(topic, FeatureWorkerTests.Partitions);
            foreach (var partition in Parts(topic))
                Archive(layout, partition, admin.OffsetsAsync(partition, default).GetAwaiter().GetResult().High);
        }
    }

    private void Archive(ArchiveLayout layout, PartitionId partition, long end)
    {
        using var writer = new ArchivePartitionWriter(layout, partition, new ArchiveRollOptions());
        using var source = new KafkaConsumerFactory(kafka.Endpoint).CreateManagedSource();
        using var batch = new RawRecordBatch();
        source.Assign([new PartitionStart(partition, PartitionStart.Beginning)]);
        while (writer.NextOffset < end)
        {
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count; i++)
            {
                var at = i;
                var isCopy = DeliveredMarks.TryReadOrigin(name => batch.TryGetHeader(at, name, out var value) ? value.ToArray() : null, out var origin, out var offset);
                writer.Append(batch.Records[i].Offset, batch.Records[i].TimestampUs, batch.Key(i), batch.Records[i].HasKey, batch.Value(i), batch.Records[i].HasValue, isCopy ? origin : -1, offset);
            }

            foreach (var reached in batch.Ends)
                writer.SkipTo(reached.Offset);
        }

        writer.Roll();
    }

    /// <summary>Every key of the catalogue's logs, positions without their epochs.</summary>
    private async Task<SortedDictionary<string, string>> ContentAsync(IStateStore store, Catalog catalog)
    {
        var content = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var key in redis.Connection.GetServers()[0].KeysAsync(pattern: $"{{{catalog.Sources[0].Topic}*"))
        {
            var name = Encoding.Latin1.GetString((byte[])key!);
            var value = (await ReadAsync(store, name))!;
            content[name] = Convert.ToHexString(name.EndsWith("!pos", StringComparison.Ordinal) ? (PositionRecord.Decode(value) with { Epoch = 0 }).Encode() : value);
        }

        return content;
    }
}
