using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Kafka;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Tests.Triggers;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Log;
using StreamMl.TestKit;
using StreamMl.TestKit.Servers;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Scoring;

/// <summary>A predictions topic on a real Kafka, written by a scorer that dies between what it wrote and what the store was told.</summary>
public sealed class PredictionsOnServersTests(KafkaFixture kafka) : IDisposable
{
    private const int Events = 60;
    private const int Partitions = 3;

    private readonly InMemoryStateStore store = new();
    private readonly PredictionLog schemas = new();
    private readonly ScriptedSource triggers = new("schedules", Partitions);
    private ModelLab? models;

    public void Dispose() => models?.Dispose();

    [Fact]
    public async Task Scorer_DiesBeforeTheStoreIsTold_ResumesItsTopicWithoutWritingAgain()
    {
        kafka.RequireReal("a topic that outlives its writer on a broker");
        var lab = await LabAsync();
        var topic = await TopicAsync("predictions");
        await DieAsync(lab, triggers, topic, 1);
        await DieAsync(lab, triggers.Reopen(), topic, 20);

        await ServeAsync(lab, triggers.Reopen(), topic, store);

        var written = Read(topic);
        written.Count.ShouldBe(Events);
        foreach (var lane in written.GroupBy(w => w.Partition))
            lane.Select(w => w.Offset).ShouldBe(Enumerable.Range(0, lane.Count()).Select(i => (long)i), "each prediction stands where its event does");
    }

    [Fact]
    public async Task Scorer_SameEventsAgain_WritesTheSameIdsAndBytes()
    {
        kafka.RequireReal("a topic that outlives its writer on a broker");
        var lab = await LabAsync();
        var fresh = new InMemoryStateStore();
        fresh.Restore(store.Snapshot());
        var (one, other) = (await TopicAsync("predictions"), await TopicAsync("predictions"));
        await DieAsync(lab, triggers, one, 20);
        await ServeAsync(lab, triggers.Reopen(), one, store);
        await ServeAsync(lab, triggers.Reopen(), other, fresh);
        Read(other).Select(w => (w.Partition, Convert.ToHexString(w.Value))).ShouldBe(Read(one).Select(w => (w.Partition, Convert.ToHexString(w.Value))));
    }

    private async Task<ServingLab> LabAsync()
    {
        var lab = new ServingLab(store);
        await lab.CommitAsync();
        models = new ModelLab(lab.Catalog);
        await models.PublishAsync(0.5, "champion");
        await models.RefreshAsync();
        for (var i = 0; i < Events; i++)
        {
            var origin = $"A{i}";
            triggers.Add(KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(origin), Partitions), ServingLab.StartUs + i, TripAvro.Encode(1, origin, "LAX", i, ServingLab.StartUs + i));
        }

        return lab;
    }

    private async Task<string> TopicAsync(string name)
    {
        var topic = await kafka.CreateTopicAsync(name, Partitions);
        using var admin = new TopicAdmin(kafka.Endpoint);
        await admin.EnsureTopicAsync(LogNames.DeadLetterTopic(topic), Partitions, default);
        return topic;
    }

    private KafkaPredictionOutput Open(string topic) => new(topic, new KafkaProducerFactory(kafka.Endpoint).CreateSender(), new KafkaConsumerFactory(kafka.Endpoint));

    /// <summary>A life that ends when so many more are sent: they arrive, and the store never hears of it.</summary>
    private async Task DieAsync(ServingLab lab, ScriptedSource source, string topic, int sent)
    {
        await using var output = Open(topic);
        var dying = new DyingOutput(output, sent);
        var life = Start(lab, source, dying, store, CancellationToken.None);
        await Eventually.Until(() => life.IsCompleted, () => $"takes {sent} records, and lives on with the store at {Position(store)} of {Events}");
        (await Should.ThrowAsync<InvalidOperationException>(life)).Message.ShouldBe("killed");
        await output.FlushAsync(default);
    }

    private async Task ServeAsync(ServingLab lab, ScriptedSource source, string topic, InMemoryStateStore states)
    {
        await using var output = Open(topic);
        using var stop = new CancellationTokenSource();
        var run = Start(lab, source, output, states, stop.Token);
        await Eventually.Until(() => run.IsCompleted || Position(states) == Events, () => $"{Position(states)} of {Events}");
        await stop.CancelAsync();
        await run;
    }

    private static long Position(InMemoryStateStore states) => Enumerable.Range(0, Partitions)
        .Select(p => LogNames.ServicePositionKey(new PartitionId("schedules", p), "everything.predictions"))
        .Sum(key => states.Snapshot().TryGetValue(key, out var bytes) ? PositionRecord.Decode(bytes).NextOffset : 0);

    private Task Start(ServingLab lab, ScriptedSource source, IPredictionOutput output, InMemoryStateStore states, CancellationToken stop)
    {
        var plan = TriggerPlan.Compile(lab.Catalog, "everything", lab.Catalog.Source("schedules").Schema.Fields.Select(f => f.Name).ToHashSet());
        var services = new TriggerServices(
            states, new FeatureReader(states, new()), (_, _) => ValueTask.FromResult(ServingLab.Avro), new NoEnds(), null, TimeProvider.System, NullLogger.Instance);
        return Task.Factory.StartNew(
            () =>
            {
                var sink = new PredictionSink(plan.Source, "everything", models!.Host, output, schemas.RegisterAsync);
                using var server = new TriggerServer(plan, services, new TriggerServingOptions { RetryMs = 10, PollMs = 1, MaxBatch = 4, FlushMs = 10, AlignOlderThanMs = int.MaxValue }, source, [sink]);
                server.Run(stop);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    private List<(int Partition, long Offset, byte[] Value)> Read(string topic)
    {
        using var source = new KafkaConsumerFactory(kafka.Endpoint).CreateSource();
        using var batch = new RawRecordBatch();
        var read = new List<(int Partition, long Offset, byte[] Value)>();
        source.Assign([.. Enumerable.Range(0, Partitions).Select(p => new PartitionStart(new PartitionId(topic, p), PartitionStart.Beginning))]);
        var ended = new HashSet<PartitionId>();
        while (ended.Count < Partitions)
        {
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
            foreach (var run in batch.Runs)
            {
                for (var row = run.First; row < run.First + run.Count; row++)
                    read.Add((run.Partition.Partition, batch.Records[row].Offset, batch.Value(row).ToArray()));
            }

            ended.UnionWith(batch.Ends.Select(e => e.Partition));
        }

        return [.. read.OrderBy(r => r.Partition).ThenBy(r => r.Offset)];
    }

    private sealed class NoEnds : ITopicEnds
    {
        public Task<IReadOnlyList<long>> EndsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<long>>([.. partitions.Select(_ => 0L)]);

        public Task<IReadOnlyList<long>> BeginningsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<long>>([.. partitions.Select(_ => 0L)]);
    }

    /// <summary>Takes so many records and no more; the flush behind them, which the store waits for, never ends well.</summary>
    private sealed class DyingOutput(IPredictionOutput inner, int sent) : IPredictionOutput
    {
        private int left = sent;

        public WrittenPredictions ReadBack(int partition, long fromTriggerOffset) => inner.ReadBack(partition, fromTriggerOffset);

        public ValueTask SendAsync(int partition, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, CancellationToken cancellationToken)
        {
            if (Interlocked.Decrement(ref left) < 0)
                throw Killed();
            return inner.SendAsync(partition, key, value, timestampUs, cancellationToken);
        }

        public ValueTask SendDeadLetterAsync(FailedEvent failed, CancellationToken cancellationToken) => inner.SendDeadLetterAsync(failed, cancellationToken);

        public Task FlushAsync(CancellationToken cancellationToken) =>
            Volatile.Read(ref left) <= 0 ? throw Killed() : inner.FlushAsync(cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static InvalidOperationException Killed() => new("killed");
    }
}
