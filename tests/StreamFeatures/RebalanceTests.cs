using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;
using static StreamMl.StreamFeatures.Tests.FeatureWorkerTests;

namespace StreamMl.StreamFeatures.Tests;

/// <summary>Workers that come and go while records flow, on a real Kafka, by both protocols: nothing lost, nothing twice.</summary>
public sealed class RebalanceTests(KafkaFixture kafka, RedisFixture redis)
{
    private const int Records = 3_000;

    [Theory]
    [InlineData(true, TransactionMode.Auto)]
    [InlineData(false, TransactionMode.Auto)]
    [InlineData(true, TransactionMode.Off)]
    public async Task Workers_JoinAndLeaveWhileRecordsFlow_StoreEqualsStraightRun(bool useConsumerProtocol, TransactionMode transactions)
    {
        kafka.RequireReal("rebalances by both protocols, and transactions");
        var stop = TestContext.Current.CancellationToken;
        await using var lab = await LabAsync(useConsumerProtocol, transactions);
        using var first = lab.Worker();
        await first.StartAsync(stop);
        await lab.ProduceAsync(0, 1_000);
        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, 1_000), () => "1000");
        var epochs = await lab.EpochsAsync();

        using var second = lab.Worker();
        await second.StartAsync(stop);
        await lab.ProduceAsync(1_000, 2_000);
        // Cooperative: what moves is drained and claimed by the newcomer, what stays is not claimed again.
        await TestKit.Eventually.Until(async () => (await lab.EpochsAsync()).Any(e => e.Value > epochs[e.Key]), () => "nothing moved");
        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, 2_000), () => "2000");
        (await lab.EpochsAsync()).ShouldContain(e => e.Value == epochs[e.Key], "some partitions stayed where they were");

        var leaving = first.StopAsync(stop);
        await lab.ProduceAsync(2_000, Records);
        await leaving;
        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, Records), () => "3000");
        await second.StopAsync(stop);

        await ShouldEqualStraightRunAsync(kafka.Endpoint, lab.Store, lab.Catalog);
        await ShouldHaveNoDuplicatesAsync(lab);
    }

    [Fact]
    public async Task Worker_IsFencedInTheStore_TakesItBackAndSeeksToTheStoresOffset()
    {
        kafka.RequireReal("a seek in a group");
        var stop = TestContext.Current.CancellationToken;
        await using var lab = await LabAsync(useConsumerProtocol: true, TransactionMode.Auto);
        using var worker = lab.Worker();
        await worker.StartAsync(stop);
        await lab.ProduceAsync(0, 1_000);
        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, 1_000), () => "1000");

        // Somebody who is not in the group claims everything: the worker's next commits, or its idle checks, are refused.
        foreach (var plan in LogPlan.Of(lab.Catalog))
        {
            foreach (var partition in Parts(plan.Topic))
                await Claim.TakeAsync(lab.Store, plan, partition, stop);
        }

        var fenced = await lab.EpochsAsync();
        await lab.ProduceAsync(1_000, Records);
        await TestKit.Eventually.Until(() => IsDoneAsync(lab.Store, lab.Catalog, Records), () => "3000");
        await TestKit.Eventually.Until(async () => (await lab.EpochsAsync()).All(e => e.Value > fenced[e.Key]), () => "not taken back");
        await worker.StopAsync(stop);

        await ShouldEqualStraightRunAsync(kafka.Endpoint, lab.Store, lab.Catalog);
        await ShouldHaveNoDuplicatesAsync(lab);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Source_PausedWhenAMemberJoins_PausedPartitionsThatStayAreStillPaused(bool useConsumerProtocol)
    {
        kafka.RequireReal("rebalances by both protocols");
        var topic = await kafka.CreateTopicAsync("paused", 4);
        var factory = new KafkaConsumerFactory(kafka.Endpoint);
        using var first = factory.CreateSource(new RecordSourceOptions { GroupId = topic, UseConsumerProtocol = useConsumerProtocol });
        first.Subscribe([topic], new FromTheBeginning());
        using var batch = new RawRecordBatch();
        await TestKit.Eventually.Until(() => Polled(batch, first) && first.Assignment.Count == 4, () => $"{first.Assignment.Count}");
        first.Pause([.. first.Assignment]);

        using var second = factory.CreateSource(new RecordSourceOptions { GroupId = topic, UseConsumerProtocol = useConsumerProtocol });
        second.Subscribe([topic], new FromTheBeginning());
        await TestKit.Eventually.Until(() => Polled(batch, first, second) && first.Assignment.Count == 2 && second.Assignment.Count == 2, () => $"{first.Assignment.Count} and {second.Assignment.Count}");
        await using (var producer = new KafkaProducerFactory(kafka.Endpoint).Create())
        {
            for (var i = 0; i < 40; i++)
                await producer.SendAsync(new PartitionId(topic, i % 4), [1], [2], 1_700_000_000_000_000, null, default);
            await producer.FlushAsync(default);
        }

        var (fromFirst, fromSecond) = (0, 0);
        await TestKit.Eventually.Until(
            () =>
            {
                fromFirst += Read(batch, first);
                fromSecond += Read(batch, second);
                return fromSecond == 20;
            },
            () => $"{fromSecond}");
        for (var i = 0; i < 5; i++)
            fromFirst += Read(batch, first);
        fromFirst.ShouldBe(0);
        first.Resume([.. first.Assignment]);
        await TestKit.Eventually.Until(() => (fromFirst += Read(batch, first)) == 20, () => $"{fromFirst}");
    }

    private static int Read(RawRecordBatch batch, IRecordSource source) => source.TryReadBatch(batch, TimeSpan.FromMilliseconds(20)) ? batch.Count : 0;

    private static bool Polled(RawRecordBatch batch, params IRecordSource[] sources)
    {
        foreach (var source in sources)
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(20));
        return true;
    }

    private static async Task ShouldHaveNoDuplicatesAsync(WorkersLab lab)
    {
        if (lab.Transactions == TransactionMode.Off)
            return;
        foreach (var partition in LogPlan.Of(lab.Catalog).Where(p => p.IsRepartitioned).SelectMany(p => Parts(p.Topic)))
            LedgerRecord.Decode(await ReadAsync(lab.Store, LogNames.LedgerKey(partition))).Duplicate.ShouldBe(0, $"{partition}: in transactions each record is sent once");
    }

    private async Task<WorkersLab> LabAsync(bool useConsumerProtocol, TransactionMode transactions)
    {
        var registry = await EmbeddedRegistry.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var topic = TestEnvironment.UniqueName("rebalanced");
        var catalog = TestCatalog.Catalog with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = FeatureWorkerTests.Partitions }] };
        using var schemas = new SchemaRegistryClient(registry.Url);
        var schemaId = await schemas.RegisterAsync($"{topic}-value", TestCatalog.Avro, default);
        return new WorkersLab(kafka.Endpoint, catalog, registry, new RedisStateStore(redis.Connection), schemaId, useConsumerProtocol, transactions);
    }

    private sealed class WorkersLab(
        KafkaEndpoint endpoint, Catalog catalog, EmbeddedRegistry registry, IStateStore store, int schemaId, bool useConsumerProtocol, TransactionMode transactions) : IAsyncDisposable
    {
        private readonly (Landing? Event, long ArrivalUs)[] log = RandomLog.Records(Records, Records).Single(_ => true, "0000000000000");

        public Catalog Catalog => catalog;

        public IStateStore Store => store;

        public TransactionMode Transactions => transactions;

        public IHost Worker()
        {
            var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton(catalog).AddSingleton(endpoint).AddSingleton(store).AddSingleton(new SchemaRegistryClient(registry.Url)).AddStreamFeatures();
            builder.Services.Configure<StreamFeaturesOptions>(o =>
            {
                (o.GroupId, o.UseConsumerProtocol, o.Transactions) = ($"features.{catalog.Sources[0].Topic}", useConsumerProtocol, transactions);
                (o.IdleCheckMs, o.CommitIntervalMs) = (200, 50);
            });
            return builder.Build();
        }

        public Task<int> ProduceAsync(int from, int to) => FeatureWorkerTests.ProduceAsync(endpoint, catalog.Sources[0].Topic, log[from..to], schemaId);

        public async Task<Dictionary<PartitionId, long>> EpochsAsync()
        {
            var epochs = new Dictionary<PartitionId, long>();
            foreach (var partition in LogPlan.Of(catalog).SelectMany(p => Parts(p.Topic)))
                epochs[partition] = await ReadAsync(store, LogNames.SourcePositionKey(partition)) is { } position ? PositionRecord.Decode(position).Epoch : 0;
            return epochs;
        }

        public ValueTask DisposeAsync() => registry.DisposeAsync();
    }

    private sealed class FromTheBeginning : IAssignmentHandler
    {
        public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions) => [.. partitions.Select(p => new PartitionStart(p, PartitionStart.Beginning))];

        public void Revoked(IReadOnlyList<PartitionId> partitions)
        {
        }
    }
}
