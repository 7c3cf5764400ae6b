using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Tests.Triggers;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;
using StreamMl.TestKit;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Scoring;

public sealed class PredictionSinkTests : IDisposable
{
    private readonly InMemoryStateStore store = new();
    private readonly ServingLab lab;
    private readonly ModelLab models;
    private readonly PredictionLog log = new();
    private readonly ScriptedSource topic = new("schedules", 3);

    public PredictionSinkTests()
    {
        lab = new ServingLab(store);
        models = new ModelLab(lab.Catalog);
    }

    public void Dispose() => models.Dispose();

    [Fact]
    public async Task Run_ChampionAndChallenger_BothWriteWhatTheyScored()
    {
        lab.Apply(new Trip("JFK", "LAX", 7, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        var champion = await models.PublishAsync(0.5, "champion");
        var challenger = await models.PublishAsync(-0.5, "challenger");
        await models.RefreshAsync();
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 60_000_000);
        await ServeAsync(topic, models, () => log.Durable.Count == 2);
        var partition = KeyPartitioner.PartitionOf("JFK"u8, 3);
        log.Durable.Select(d => d.Partition).ShouldBe([partition, partition]);
        var p = log.Durable[0].Prediction;
        p.Id.ToString().ShouldBe($"{champion}/schedules/{partition}/0");
        p.Variant.ShouldBe("champion");
        p.Score.ShouldBe(ModelLab.ScoreOf(0.5, 1, "LAX", 5, 7, "LAX"));
        p.Decision.ShouldBe(p.Score >= 0.5 ? "true" : "false");
        p.EventTime.ShouldBe(TimeGrid.ToDateTime(ServingLab.StartUs + 60_000_000));
        p.TriggerFields["origin"].ShouldBe("JFK");
        p.TriggerFields["number"].ShouldBe(7L);
        p.Inputs.Select(i => i.Key).ShouldBe(ModelLab.Inputs.Select(i => i.Name));
        p.Inputs.Select(i => i.Value).ShouldBe([1L, "LAX", 5.0, 7L, "LAX"]);
        p.Views.Select(v => v.View).ShouldBe(["by_origin", "by_dest", "by_route", "by_number", "overall"]);
        p.Views[0].NextOffset.ShouldBe(1);
        p.Views[0].AgeUs.ShouldBe(60_000_000);
        p.IsCaughtUp.ShouldBeTrue();
        p.Flags.ShouldBeEmpty();
        log.Durable[1].Prediction.Id.Model.ShouldBe(challenger);
        log.Durable[1].Prediction.Variant.ShouldBe("challenger");
    }

    [Fact]
    public async Task Run_NoModelYet_ServesAndScoresWhatComesAfterItsPromotion()
    {
        await lab.CommitAsync();
        Trigger("JFK", "LAX", 7, ServingLab.StartUs);
        await ServeAsync(topic, models, () => Position() == 1);
        log.Durable.ShouldBeEmpty();
        await models.PublishAsync(0, "champion");
        await models.RefreshAsync();
        Trigger("JFK", "LAX", 8, ServingLab.StartUs + 1);
        await ServeAsync(topic.Reopen(), models, () => log.Durable.Count > 0);
        log.Durable.Single().Prediction.Id.Offset.ShouldBe(1);
    }

    [Fact]
    public async Task Run_CrashesAtAnyPoint_WritesEveryPredictionOnceAndInOrder()
    {
        await lab.CommitAsync();
        await models.PublishAsync(0.5, "champion");
        await models.PublishAsync(-0.5, "challenger");
        await models.RefreshAsync();
        for (var i = 0; i < 60; i++)
            Trigger($"A{i}", "LAX", i, ServingLab.StartUs + i);
        var source = topic;
        // Each life ends with some of what it sent in the topic, and the store not told.
        for (var arrived = 1; log.Durable.Count < 120 && arrived < 400; arrived += 7)
        {
            await CrashAsync(source, arrived);
            source = source.Reopen();
        }

        await ServeAsync(source, models, () => log.Durable.Count >= 120);
        log.Durable.Count.ShouldBe(120);
        log.Durable.Select(d => d.Prediction.Id).Distinct().Count().ShouldBe(120);
        foreach (var lane in log.Durable.GroupBy(d => (d.Partition, d.Prediction.Variant)))
            lane.Select(d => d.Prediction.Id.Offset).ShouldBe(Enumerable.Range(0, lane.Count()).Select(i => (long)i));
    }

    [Fact]
    public async Task Run_SameEventAndPositions_GivesTheSameBytes()
    {
        await lab.CommitAsync();
        await models.PublishAsync(0.5, "champion");
        await models.RefreshAsync();
        Trigger("JFK", "LAX", 7, ServingLab.StartUs);
        await CrashAsync(topic, 0);
        log.Durable.ShouldBeEmpty();
        await ServeAsync(topic.Reopen(), models, () => log.Durable.Count == 1);
        var first = log.Durable[0].Value;
        var again = new PredictionLog();
        var fresh = new InMemoryStateStore();
        fresh.Restore(store.Snapshot());
        foreach (var key in fresh.Snapshot().Keys.Where(k => k.Contains("service.everything", StringComparison.Ordinal)).ToList())
            fresh.Restore(new(fresh.Snapshot().Where(e => e.Key != key).ToDictionary(), StringComparer.Ordinal));
        await ServeAsync(topic.Reopen(), models, () => again.Durable.Count == 1, again, fresh);
        again.Durable[0].Value.ShouldBe(first);
    }

    [Fact]
    public async Task Run_ModelFailsOnAnEvent_DeadLettersItAndScoresTheRest()
    {
        await lab.CommitAsync();
        await models.PublishAsync(0.5, "champion");
        await models.RefreshAsync();
        Trigger("JFK", "LAX", -1, ServingLab.StartUs); // the linear model's planted fault
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 1);
        using var counted = new CountedHere();
        await ServeAsync(topic, models, () => log.Durable.Count == 1);
        counted["streamml.serving.predictions"].ShouldBe(1);
        counted["streamml.serving.failed"].ShouldBe(1);
        var failed = log.DeadLetters.Single();
        failed.Reason.ShouldContain("planted");
        failed.Offset.ShouldBe(0);
        failed.Topic.ShouldBe("schedules");
        failed.Value.ShouldBe(TripAvro.Encode(1, "JFK", "LAX", -1, ServingLab.StartUs));
        await ServeAsync(topic.Reopen(), models, () => true);
        log.DeadLetters.Count.ShouldBe(1);
        counted["streamml.serving.predictions"].ShouldBe(1, "what is written already is not made again");
    }

    [Fact]
    public async Task Run_StaleViewIsRefused_DeadLettersWithValueAndLimit()
    {
        using var strict = new ModelLab(lab.Catalog, new ScoringPolicies(new Dictionary<string, ServicePolicy>
        {
            ["everything"] = new() { Views = new Dictionary<string, ViewPolicy> { ["by_origin"] = new(TimeSpan.FromMinutes(1), PolicyAction.Refuse) } },
        }));
        lab.Apply(new Trip("JFK", "LAX", 7, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        await strict.PublishAsync(0.5, "champion");
        await strict.RefreshAsync();
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 60_000_000);
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 60_000_001);
        await ServeAsync(topic, strict, () => log.Durable.Count == 1 && log.DeadLetters.Count == 1);
        log.DeadLetters[0].Reason.ShouldContain("the limit is 00:01:00");
    }

    private long Position()
    {
        var key = LogNames.ServicePositionKey(new PartitionId("schedules", KeyPartitioner.PartitionOf("JFK"u8, 3)), "everything.predictions");
        return store.Snapshot().TryGetValue(key, out var bytes) ? PositionRecord.Decode(bytes).NextOffset : -1;
    }

    private void Trigger(string origin, string? dest, long number, long atUs) =>
        topic.Add(KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(origin), 3), atUs, TripAvro.Encode(1, origin, dest, number, atUs));

    private async Task ServeAsync(ScriptedSource source, ModelLab from, Func<bool> done, PredictionLog? to = null, InMemoryStateStore? states = null)
    {
        using var stop = new CancellationTokenSource();
        var run = Start(source, from, (to ?? log).Open(), stop.Token, states, to: to);
        await Eventually.Until(() => run.IsCompleted || done(), () => $"{log.Durable.Count} predictions, {log.DeadLetters.Count} dead letters");
        await stop.CancelAsync();
        await run;
    }

    /// <summary>A life that ends as by kill -9, with so many records on their way still arriving.</summary>
    private async Task CrashAsync(ScriptedSource source, int arrived)
    {
        var output = log.Open();
        var dying = new DyingOutput(output);
        using var stop = new CancellationTokenSource();
        var run = Start(source, models, dying, stop.Token, flushMs: 600_000);
        var before = log.Durable.Count;
        await Eventually.Until(() => run.IsCompleted || output.Pending + before >= Math.Min(before + arrived, 120), () => $"{output.Pending} pending");
        dying.IsDead = true;
        await stop.CancelAsync();
        await Should.ThrowAsync<InvalidOperationException>(() => run);
        output.Arrive(Math.Min(arrived, output.Pending));
    }

    private Task Start(ScriptedSource source, ModelLab from, IPredictionOutput output, CancellationToken stop, InMemoryStateStore? states = null, int flushMs = 10, PredictionLog? to = null)
    {
        var plan = TriggerPlan.Compile(lab.Catalog, "everything", lab.Catalog.Source("schedules").Schema.Fields.Select(f => f.Name).ToHashSet());
        var services = new TriggerServices(
            states ?? store, new FeatureReader(states ?? store, new()), (_, _) => ValueTask.FromResult(ServingLab.Avro), new NoEnds(), null, TimeProvider.System, NullLogger.Instance);
        return Task.Factory.StartNew(
            () =>
            {
                var sink = new PredictionSink(plan.Source, "everything", from.Host, output, (to ?? log).RegisterAsync);
                using var server = new TriggerServer(plan, services, new TriggerServingOptions { RetryMs = 10, PollMs = 1, MaxBatch = 4, FlushMs = flushMs, AlignOlderThanMs = int.MaxValue }, source, [sink]);
                server.Run(stop);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    private sealed class NoEnds : ITopicEnds
    {
        public Task<IReadOnlyList<long>> EndsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<long>>([.. partitions.Select(_ => 0L)]);

        public Task<IReadOnlyList<long>> BeginningsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<long>>([.. partitions.Select(_ => 0L)]);
    }

    /// <summary>After its death nothing can be flushed any more.</summary>
    private sealed class DyingOutput(IPredictionOutput inner) : IPredictionOutput
    {
        public bool IsDead { get; set; }

        public WrittenPredictions ReadBack(int partition, long fromTriggerOffset) => inner.ReadBack(partition, fromTriggerOffset);

        public ValueTask SendAsync(int partition, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte> value, long timestampUs, CancellationToken cancellationToken) => inner.SendAsync(partition, key, value, timestampUs, cancellationToken);

        public ValueTask SendDeadLetterAsync(FailedEvent failed, CancellationToken cancellationToken) => inner.SendDeadLetterAsync(failed, cancellationToken);

        public Task FlushAsync(CancellationToken cancellationToken) => IsDead ? throw new InvalidOperationException("killed") : inner.FlushAsync(cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
