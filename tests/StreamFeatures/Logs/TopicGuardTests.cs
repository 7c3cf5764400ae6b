using Confluent.Kafka;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
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

namespace StreamMl.StreamFeatures.Tests.Logs;

/// <summary>A topic that is not what the store's positions were made on: what the worker says, on a real Kafka.</summary>
public sealed class TopicGuardTests(KafkaFixture kafka, RedisFixture redis)
{
    [Fact]
    public async Task Worker_RetentionRanPastThePosition_NamesEveryRangeAndWhatToRun()
    {
        kafka.RequireReal("deleted records");
        await using var lab = await LabAsync("loss");
        await WorkAsync(lab, 300);
        var positions = await PositionsAsync(lab);
        await ProduceAsync(kafka.Endpoint, lab.Topic, Records(300), lab.SchemaId);
        using var admin = Admin();
        var cut = Parts(lab.Topic).ToDictionary(p => p, p => positions[p] + 10 + p.Partition);
        await admin.DeleteRecordsAsync(cut.Select(c => new TopicPartitionOffset(c.Key.Topic, c.Key.Partition, c.Value)));

        var error = await FaultAsync<LogLossException>(lab);

        error.Losses.ShouldBe(Parts(lab.Topic).Select(p => new LostRange(p, positions[p], cut[p])));
        error.Message.ShouldContain($"offsets {positions[new PartitionId(lab.Topic, 1)]} to {cut[new PartitionId(lab.Topic, 1)] - 1} (11)");
        error.Message.ShouldContain("together 21 offsets");
        error.Message.ShouldContain("streamml rebuild --all");
        (await PositionsAsync(lab)).ShouldBe(positions, "nothing was skipped");
    }

    [Fact]
    public async Task Worker_TopicWasRecreated_IsRefused()
    {
        kafka.RequireReal("topic ids");
        await using var lab = await LabAsync("recreated");
        await WorkAsync(lab, 100);
        using var admin = Admin();
        await admin.DeleteTopicsAsync([lab.Topic]);
        using var topics = new TopicAdmin(kafka.Endpoint);
        await TestKit.Eventually.Until(async () => await topics.PartitionCountAsync(lab.Topic, default) is null, () => "still there");
        await ProduceAsync(kafka.Endpoint, lab.Topic, Records(400), lab.SchemaId);

        var error = await FaultAsync<TopicChangedException>(lab);

        error.Message.ShouldContain("was recreated");
        error.Message.ShouldContain("streamml reset --all");
    }

    [Fact]
    public async Task Worker_StoreComesBackEmptyUnderIt_NotesTheTopicAgain()
    {
        kafka.RequireReal("topic ids");
        await using var lab = await LabAsync("emptied");
        using var host = Host(lab.Catalog, kafka.Endpoint, lab.Store, lab.Registry.Url);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await ProduceAsync(kafka.Endpoint, lab.Topic, Records(100), lab.SchemaId);
        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, 100), () => "100 sent");
        await foreach (var key in redis.Connection.GetServers()[0].KeysAsync(pattern: $"{{{lab.Topic}*"))
            await redis.Connection.GetDatabase().KeyDeleteAsync(key);
        using var topics = new TopicAdmin(kafka.Endpoint);
        var now = await topics.DescribeAsync(lab.Topic, default);

        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, 100), () => "not replayed");

        foreach (var partition in Parts(lab.Topic))
            TopicRecord.Decode(await ReadAsync(lab.Store, LogNames.TopicKey(partition))).ShouldBe(now);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("a", 2, "a", 2, null)]
    [InlineData("", 2, "a", 2, null)]
    [InlineData("a", 2, "b", 2, "was recreated")]
    [InlineData("a", 2, "a", 4, "has 4 partitions")]
    [InlineData("", 2, "", 3, "made from 2")]
    public void Compare_NotedAndPresentTopic_AreTheSameOrSayWhatChanged(string notedId, int notedPartitions, string id, int partitions, string? problem)
    {
        void Check() => TopicGuard.Compare(LogPlan.Of(TestCatalog.Catalog)[0], TopicRecord.Decode(new TopicRecord(notedId, notedPartitions).Encode())!, new TopicRecord(id, partitions));
        if (problem is null)
            Should.NotThrow(Check);
        else
            Should.Throw<TopicChangedException>(Check).Message.ShouldContain(problem);
    }

    [Fact]
    public async Task Rebuild_ArchiveIsOfATopicThatWasRecreated_IsRefusedBeforeAnythingIsWritten()
    {
        kafka.RequireReal("topic ids");
        await using var lab = await LabAsync("rearchived");
        using var topics = new TopicAdmin(kafka.Endpoint);
        await topics.EnsureTopicAsync(lab.Topic, FeatureWorkerTests.Partitions, default);
        var directory = Directory.CreateTempSubdirectory("streamml-archive-").FullName;
        try
        {
            var layout = new ArchiveLayout(directory);
            layout.SetTopic(lab.Topic, await topics.DescribeAsync(lab.Topic, default));
            using var admin = Admin();
            await admin.DeleteTopicsAsync([lab.Topic]);
            await TestKit.Eventually.Until(async () => await topics.PartitionCountAsync(lab.Topic, default) is null, () => "still there");
            await topics.EnsureTopicAsync(lab.Topic, FeatureWorkerTests.Partitions, default);
            var now = await topics.DescribeAsync(lab.Topic, default);

            var rebuild = new Rebuild(lab.Catalog, directory, kafka.Endpoint, lab.Store, new StreamFeaturesOptions(), TimeProvider.System, NullLoggerFactory.Instance)
            {
                MakeRoomAsync = _ => throw new InvalidOperationException("what the store has is deleted for an archive that is then refused"),
            };
            var error = await Should.ThrowAsync<HandOverException>(rebuild.AllAsync(TestContext.Current.CancellationToken));

            error.Message.ShouldContain($"the topic's is {now.Id}");
            error.Message.ShouldContain("streamml reset --all");
            (await ReadAsync(lab.Store, LogNames.TopicKey(new PartitionId(lab.Topic, 0)))).ShouldBeNull();
            Should.Throw<InvalidOperationException>(() => layout.SetTopic(lab.Topic, now)).Message.ShouldContain("Archive the recreated topic into another directory");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task StaticMember_AwayForAMoment_KeepsItsPartitions()
    {
        kafka.RequireReal("static membership");
        var topic = await kafka.CreateTopicAsync("static", 4);
        using var other = Member(topic, "b");
        var handler = new FromTheBeginning();
        other.Subscribe([topic], handler);
        var first = Member(topic, "a");
        first.Subscribe([topic], handler);
        using var batch = new RawRecordBatch();
        await TestKit.Eventually.Until(() => Polled(batch, first, other) && first.Assignment.Count == 2 && other.Assignment.Count == 2, () => $"{first.Assignment.Count} and {other.Assignment.Count}");
        var (mine, others) = (first.Assignment.Order(Comparer).ToList(), other.Assignment.Order(Comparer).ToList());

        first.Dispose();
        for (var i = 0; i < 30; i++)
            other.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
        other.Assignment.Order(Comparer).ToList().ShouldBe(others, "the broker's heartbeat interval is 300 ms: a member that left would have been replaced by now");
        using var again = Member(topic, "a");
        again.Subscribe([topic], handler);
        await TestKit.Eventually.Until(() => Polled(batch, again, other) && again.Assignment.Count == 2, () => $"{again.Assignment.Count}");
        again.Assignment.Order(Comparer).ToList().ShouldBe(mine);
        other.Assignment.Order(Comparer).ToList().ShouldBe(others);
    }

    private static readonly Comparer<PartitionId> Comparer = Comparer<PartitionId>.Create((a, b) => a.Partition.CompareTo(b.Partition));

    private static (Landing? Event, long ArrivalUs)[] Records(int count) => RandomLog.Records(count, count).Single(_ => true, "0000000000000");

    private static bool Polled(RawRecordBatch batch, params IRecordSource[] sources)
    {
        foreach (var source in sources)
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(20));
        return true;
    }

    private IRecordSource Member(string topic, string instance) => new KafkaConsumerFactory(kafka.Endpoint).CreateSource(
        new RecordSourceOptions { GroupId = $"static.{topic}", GroupInstanceId = instance, UseConsumerProtocol = true });

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.Endpoint.BootstrapServers }).Build();

    private async Task<GuardLab> LabAsync(string name)
    {
        var registry = await EmbeddedRegistry.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var topic = TestEnvironment.UniqueName(name);
        var catalog = TestCatalog.With("aircraft_landed") with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        using var schemas = new SchemaRegistryClient(registry.Url);
        return new GuardLab(topic, catalog, registry, new RedisStateStore(redis.Connection), await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default));
    }

    private async Task WorkAsync(GuardLab lab, int records)
    {
        using var host = Host(lab.Catalog, kafka.Endpoint, lab.Store, lab.Registry.Url);
        await host.StartAsync(TestContext.Current.CancellationToken);
        await ProduceAsync(kafka.Endpoint, lab.Topic, Records(records), lab.SchemaId);
        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, records), () => $"{records} sent");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Starts a worker that must fail.</summary>
    private async Task<T> FaultAsync<T>(GuardLab lab)
        where T : Exception
    {
        using var host = Host(lab.Catalog, kafka.Endpoint, lab.Store, lab.Registry.Url);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var worker = host.Services.GetServices<IHostedService>().OfType<FeatureWorker>().Single();
        await TestKit.Eventually.Until(() => worker.ExecuteTask!.IsCompleted, () => "the worker runs");
        return worker.ExecuteTask!.Exception!.InnerException.ShouldBeOfType<T>();
    }

    private static async Task<Dictionary<PartitionId, long>> PositionsAsync(GuardLab lab)
    {
        var positions = new Dictionary<PartitionId, long>();
        foreach (var partition in Parts(lab.Topic))
            positions[partition] = PositionRecord.Decode(await ReadAsync(lab.Store, LogNames.SourcePositionKey(partition))).NextOffset;
        return positions;
    }

    private sealed record GuardLab(string Topic, Catalog Catalog, EmbeddedRegistry Registry, IStateStore Store, int SchemaId) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Registry.DisposeAsync();
    }

    private sealed class FromTheBeginning : IAssignmentHandler
    {
        public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions) => [.. partitions.Select(p => new PartitionStart(p, PartitionStart.Beginning))];

        public void Revoked(IReadOnlyList<PartitionId> partitions)
        {
        }
    }
}
