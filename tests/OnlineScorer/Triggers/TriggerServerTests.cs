using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Archive;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Triggers;

public sealed class TriggerServerTests : IDisposable
{
    private readonly string directory = Path.Combine(AppContext.BaseDirectory, "served", Path.GetRandomFileName());
    private readonly InMemoryStateStore store = new();
    private readonly ServingLab lab;
    private readonly ScriptedSource topic = new("schedules", 3);
    private readonly Dictionary<PartitionId, long> topicEnds = [];
    private readonly Dictionary<PartitionId, long> topicBeginnings = [];
    private TimeProvider clock = TimeProvider.System;

    public TriggerServerTests() => lab = new ServingLab(store);

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Run_TriggerEvents_AreServedAsOfTheirTimeAndKept()
    {
        lab.Apply(new Trip("JFK", "LAX", 7, 5, ServingLab.StartUs));
        await lab.CommitAsync();
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 60_000_000);
        Trigger("LGA", null, 8, ServingLab.StartUs + 61_000_000);
        var sink = new ListSink();
        await ServeAsync(topic, sink, () => sink.Written.Count == 2);
        sink.Durable.Sort((a, b) => a.EventTimeUs.CompareTo(b.EventTimeUs));
        sink.Durable[0].Count.ShouldBe(1);
        sink.Durable[0].IsCaughtUp.ShouldBeTrue();
        sink.Durable[1].Count.ShouldBe(0);
        ReadVectors().Select(v => v.AsOfUs).ShouldBe([ServingLab.StartUs + 60_000_000, ServingLab.StartUs + 61_000_000], ignoreOrder: true);
        Position("service.everything").NextOffset.ShouldBe(1);
        Position("service.everything").WatermarkUs.ShouldBe(ServingLab.StartUs + 60_000_000);
    }

    [Fact]
    public async Task Run_RestartAfterADrain_ServesNothingTwiceAndLosesNothing()
    {
        await lab.CommitAsync();
        var source = topic;
        var all = new List<Served>();
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 20; i++)
                Trigger($"A{i}", "LAX", i, ServingLab.StartUs + (round * 1000) + i, source);
            var sink = new ListSink();
            await ServeAsync(source, sink, () => sink.Written.Count == 20);
            all.AddRange(sink.Durable);
            source = source.Reopen();
        }

        all.Select(r => r.Id).Distinct().Count().ShouldBe(80);
        all.Count.ShouldBe(80);
        ReadVectors().Select(v => v.Id).Order().ShouldBe(all.Select(r => r.Id).Order());
    }

    [Fact]
    public async Task Run_StartAtEnd_ServesWhatComesAfterTheClaimAlsoWhenItRestartsBeforeThat()
    {
        await lab.CommitAsync();
        Trigger("JFK", "LAX", 1, ServingLab.StartUs);
        var partition = new PartitionId("schedules", KeyPartitioner.PartitionOf("JFK"u8, 3));
        topicEnds[partition] = 1;
        await ServeAsync(topic, new ListSink(), () => store.Snapshot().Keys.Any(k => k.Contains("service.everything", StringComparison.Ordinal)), configure: o => o.StartAtEnd = true);
        Position("service.everything").NextOffset.ShouldBe(1);
        var again = topic.Reopen();
        Trigger("JFK", "LAX", 2, ServingLab.StartUs + 1, again);
        topicEnds[partition] = 2;
        var sink = new ListSink();
        await ServeAsync(again, sink, () => sink.Written.Count > 0, configure: o => o.StartAtEnd = true);
        sink.Written.Select(w => w.Id.Offset).ShouldBe([1]);
    }

    [Fact]
    public async Task Run_RestartAfterACrash_ServesAgainWhatWasNotDurableAndNothingElse()
    {
        await lab.CommitAsync();
        var source = topic;
        for (var i = 0; i < 100; i++)
            Trigger($"A{i}", "LAX", i, ServingLab.StartUs + i, source);
        var durable = new List<Served>();
        for (var crashAt = 13; durable.Count < 100; crashAt += 29)
        {
            var sink = new ListSink { CrashAt = crashAt < 100 ? 13 : int.MaxValue, Known = durable };
            try
            {
                await ServeAsync(source, sink, () => durable.Count + sink.Written.Count == 100, maxBatch: 5, flushMs: 0);
            }
            catch (InvalidOperationException e) when (e.Message == "planted")
            {
                // as after kill -9: nothing is flushed any more
            }

            durable.AddRange(sink.Durable);
            source = source.Reopen();
        }

        durable.Select(r => r.Id).Distinct().Count().ShouldBe(100);
        durable.Count.ShouldBe(100);
    }

    [Fact]
    public async Task Run_Align_WaitsUntilTheSourcesAreApplied()
    {
        await lab.CommitAsync();
        lab.Apply(new Trip("JFK", "LAX", 7, 5, ServingLab.StartUs));
        var partition = KeyPartitioner.PartitionOf("JFK"u8, 3);
        topicEnds[new PartitionId("trips", partition)] = 1;
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 1);
        var sink = new ListSink();
        using var stop = new CancellationTokenSource();
        var run = Start(topic, sink, o => { o.AlignOlderThanMs = 0; o.MaxWaitMs = 60_000; }, stop.Token);
        await Eventually.Until(() => store.Commits >= 3, () => $"{store.Commits} commits"); // the claims
        sink.Written.ShouldBeEmpty();
        await lab.CommitAsync();
        sink.Written.ShouldBeEmpty(); // the views are there, but the source unit has not said that it is done
        await NoteSourceAsync(partition, 1);
        await Eventually.Until(() => sink.Written.Count == 1, () => "not served");
        await stop.CancelAsync();
        await run;
        sink.Durable[0].IsCaughtUp.ShouldBeTrue();
        sink.Durable[0].Count.ShouldBe(1);
    }

    [Fact]
    public async Task Run_ViewsDoNotComeInTime_ServesAndSaysThatItGaveUp()
    {
        await lab.CommitAsync();
        topicEnds[new PartitionId("trips", 0)] = 5;
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 1);
        var sink = new ListSink();
        await ServeAsync(topic, sink, () => sink.Written.Count == 1, configure: o => o.MaxWaitMs = 20);
        sink.Durable[0].IsCaughtUp.ShouldBeFalse();
    }

    [Theory]
    [InlineData(9_999, true)]
    [InlineData(10_001, false)]
    public async Task Run_SourcesAreBehind_OnlyAnOldEventWaitsForThem(int ageMs, bool isServedAtOnce)
    {
        await lab.CommitAsync();
        topicEnds[new PartitionId("trips", 0)] = 5;
        clock = new StoppedClock(ServingLab.StartUs + (ageMs * 1_000L));
        Trigger("JFK", "LAX", 7, ServingLab.StartUs);
        var sink = new ListSink();
        await ServeAsync(topic, sink, () => sink.Written.Count == 1, configure: o => o.MaxWaitMs = 20);
        sink.Durable[0].IsCaughtUp.ShouldBe(isServedAtOnce);
    }

    [Fact]
    public async Task Run_StoppedWhileItWaits_ServesTheEventAfterTheRestart()
    {
        await lab.CommitAsync();
        topicEnds[new PartitionId("trips", 0)] = 5;
        Trigger("JFK", "LAX", 7, ServingLab.StartUs + 1);
        var sink = new ListSink();
        using var stop = new CancellationTokenSource();
        var run = Start(topic, sink, o => { o.AlignOlderThanMs = 0; o.MaxWaitMs = 600_000; }, stop.Token);
        await Eventually.Until(() => store.Snapshot().Keys.Any(k => k.Contains("service.everything", StringComparison.Ordinal)), () => "no claim");
        await stop.CancelAsync();
        await run;
        sink.Written.ShouldBeEmpty();
        topicEnds.Clear();
        await ServeAsync(topic.Reopen(), sink, () => sink.Written.Count == 1);
    }

    [Fact]
    public async Task Run_StoreAnswersALaterRoundFirst_SinksGetTheEventsInOrder()
    {
        var (held, sink) = (new HeldStore(store), new ListSink());
        using var stop = new CancellationTokenSource();
        var run = await StartThreeRoundsAsync(held, sink, stop.Token);
        held.Release(2);
        held.Release(1);
        sink.Written.ShouldBeEmpty();
        held.Release(0);
        await Eventually.Until(() => sink.Written.Count == 6, () => $"{sink.Written.Count} written");
        await stop.CancelAsync();
        await run;
        sink.Written.Select(w => w.Id.Offset).ShouldBe([0, 1, 2, 3, 4, 5]);
        Position("service.everything").NextOffset.ShouldBe(6);
    }

    [Fact]
    public async Task Run_StoppedWithRoundsUnderWay_NotesNothingPastTheFirstThatWasCutShort()
    {
        var (held, sink) = (new HeldStore(store), new ListSink());
        using var stop = new CancellationTokenSource();
        var run = await StartThreeRoundsAsync(held, sink, stop.Token);
        held.Release(2); // the third is there, the second never comes
        held.Release(0);
        await Eventually.Until(() => sink.Written.Count == 2, () => $"{sink.Written.Count} written");
        await stop.CancelAsync();
        await run;
        sink.Written.Select(w => w.Id.Offset).ShouldBe([0, 1]);
        Position("service.everything").NextOffset.ShouldBe(2);
        var rest = new ListSink();
        await ServeAsync(topic.Reopen(), rest, () => rest.Written.Count == 4);
        rest.Written.Select(w => w.Id.Offset).ShouldBe([2, 3, 4, 5]);
    }

    [Fact]
    public async Task Run_PartitionLostWhileARoundIsRead_ServesItsEventsOnceWhenItIsBack()
    {
        await lab.CommitAsync();
        for (var i = 0; i < 4; i++)
            Trigger("JFK", "LAX", i, ServingLab.StartUs + i);
        var held = new HeldStore(store);
        var sink = new ListSink();
        using var stop = new CancellationTokenSource();
        held.Hold();
        topic.Lose(after: 1);
        var run = Start(topic, sink, o => (o.MaxBatch, o.MaxRounds, o.FlushMs) = (4, 3, 600_000), stop.Token, held);
        await Eventually.Until(() => held.Begun == 1, () => "no read has begun");
        held.ReleaseAll();
        await Eventually.Until(() => sink.Written.Count >= 4, () => $"{sink.Written.Count} written");
        await stop.CancelAsync();
        await run;
        sink.Written.Select(w => w.Id.Offset).ShouldBe([0, 1, 2, 3]);
    }

    [Fact]
    public async Task Run_UndecodableEvent_IsSkippedAndTheRestServed()
    {
        await lab.CommitAsync();
        topic.Add(0, ServingLab.StartUs, [1, 2, 3]);
        topic.Add(0, ServingLab.StartUs, TripAvro.Encode(1, "JFK", "LAX", 7, ServingLab.StartUs));
        var sink = new ListSink();
        await ServeAsync(topic, sink, () => sink.Written.Count == 1);
        sink.Durable[0].Id.ShouldBe(("schedules/0", 1L));
    }

    [Fact]
    public async Task Run_TopicHasLostEventsThatWereNotServed_GoesOnBehindThem()
    {
        await lab.CommitAsync();
        Trigger("JFK", "LAX", 0, ServingLab.StartUs);
        await ServeAsync(topic, new ListSink(), () => store.Snapshot().Keys.Any(k => k.Contains("service.everything", StringComparison.Ordinal)) && Position("service.everything").NextOffset == 1);
        var again = topic.Reopen();
        for (var i = 1; i < 5; i++)
            Trigger("JFK", "LAX", i, ServingLab.StartUs + i, again);
        topicBeginnings[new PartitionId("schedules", KeyPartitioner.PartitionOf("JFK"u8, 3))] = 3;
        var sink = new ListSink();

        await ServeAsync(again, sink, () => sink.Written.Count == 2);

        sink.Durable.Select(s => s.Id.Offset).ShouldBe([3, 4]);
        Position("service.everything").NextOffset.ShouldBe(5);
    }

    [Fact]
    public async Task Run_TopicHasMorePartitionsThanTheCatalogue_IsRefused()
    {
        await lab.CommitAsync();
        var error = await Should.ThrowAsync<SetupException>(ServeAsync(new ScriptedSource("schedules", 4), new ListSink(), () => false));
        error.Message.ShouldContain("has at least 4 partitions, and the catalogue says 3");
    }

    [Fact]
    public void Compile_TriggerWithoutTheKey_SaysWhich()
    {
        var catalog = lab.Catalog;
        var source = catalog.Source("schedules") with { Schema = new EventSchema("x", [new("at", FieldType.Timestamp, false), new("origin", FieldType.String, false)]) };
        var changed = catalog with { Sources = [catalog.Source("trips"), source] };
        Should.Throw<ArgumentException>(() => TriggerPlan.Compile(changed, "everything")).Message.ShouldContain("'dest'");
        Should.Throw<ArgumentException>(() => TriggerPlan.Compile(changed, "picked")).Message.ShouldContain("no trigger");
    }

    private void Trigger(string origin, string? dest, long number, long atUs, ScriptedSource? to = null) =>
        (to ?? topic).Add(KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(origin), 3), atUs, TripAvro.Encode(1, origin, dest, number, atUs));

    private async Task ServeAsync(
        ScriptedSource source, ListSink sink, Func<bool> done, int maxBatch = 512, int flushMs = 600_000, Action<TriggerServingOptions>? configure = null)
    {
        using var stop = new CancellationTokenSource();
        var run = Start(source, sink, o =>
        {
            (o.MaxBatch, o.FlushMs) = (maxBatch, flushMs);
            configure?.Invoke(o);
        }, stop.Token);
        await Eventually.Until(() => run.IsCompleted || done(), () => $"{sink.Written.Count} written, {sink.Durable.Count} durable");
        await stop.CancelAsync();
        await run;
    }

    // Six triggers in rounds of two, all three rounds waiting for the store; the inner task is the server's run.
    private async Task<Task> StartThreeRoundsAsync(HeldStore held, ListSink sink, CancellationToken stop)
    {
        await lab.CommitAsync();
        for (var i = 0; i < 6; i++)
            Trigger("JFK", "LAX", i, ServingLab.StartUs + i);
        held.Hold();
        var run = Start(topic, sink, o => (o.MaxBatch, o.MaxRounds, o.FlushMs) = (2, 3, 600_000), stop, held);
        await Eventually.Until(() => held.Begun == 3, () => $"{held.Begun} reads have begun, not all three rounds");
        return run;
    }

    private async Task Start(ScriptedSource source, ListSink sink, Action<TriggerServingOptions> configure, CancellationToken stop, IStateStore? reads = null)
    {
        var options = new TriggerServingOptions { RetryMs = 10, PollMs = 1 };
        configure(options);
        var plan = TriggerPlan.Compile(lab.Catalog, "everything");
        await using var vectors = new ServedVectorSink(plan.Service, directory, "w");
        var services = new TriggerServices(
            store, new FeatureReader(reads ?? store, new()), (_, _) => ValueTask.FromResult(ServingLab.Avro), new Ends(topicEnds, topicBeginnings), null, clock, NullLogger.Instance);
        await Task.Factory.StartNew(
            () =>
            {
                using var server = new TriggerServer(plan, services, options, source, sink.CrashAt == int.MaxValue ? [sink, vectors] : [sink]);
                server.Run(stop);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    private async Task NoteSourceAsync(int partition, long nextOffset)
    {
        var log = new PartitionId("trips", partition);
        var ends = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach (var view in new[] { "by_dest", "by_route", "by_number", "overall" })
            ends[lab.Program(view).Log] = [.. Enumerable.Range(0, 3).Select(p => lab.ReadInMemory(view, p, "", 0).NextOffset)];
        var commit = new StoreCommit(log);
        commit.Set(Encoding.UTF8.GetBytes(LogNames.RoutesKey(log)), RoutesRecord.Encode(ends));
        commit.Set(Encoding.UTF8.GetBytes(LogNames.SourcePositionKey(log)), (PositionRecord.Start with { NextOffset = nextOffset }).Encode());
        await store.CommitAsync(commit, TestContext.Current.CancellationToken);
    }

    private PositionRecord Position(string name)
    {
        var partition = new PartitionId("schedules", KeyPartitioner.PartitionOf("JFK"u8, 3));
        return PositionRecord.Decode(store.Snapshot()[$"{LogNames.HashTag(partition)}{name}!pos"]);
    }

    private List<(long AsOfUs, (string Partition, long Offset) Id)> ReadVectors()
    {
        var vectors = new List<(long, (string, long))>();
        using var reader = new ServedVectorReader(directory, ServedVectorSink.SchemaOf(TriggerPlan.Compile(lab.Catalog, "everything").Service));
        var batch = new EventBatch(reader.Table);
        while (reader.Read(batch, 100))
        {
            for (var i = 0; i < batch.Count; i++)
                vectors.Add((batch.Columns[0].Lanes[i], ($"schedules/{batch.Columns[1].Lanes[i]}", batch.Columns[2].Lanes[i])));
        }

        return vectors;
    }

    /// <summary>The wall clock stands; timers run.</summary>
    private sealed class StoppedClock(long nowUs) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMicroseconds(nowUs);
    }

    private sealed class Ends(Dictionary<PartitionId, long> ends, Dictionary<PartitionId, long> beginnings) : ITopicEnds
    {
        public Task<IReadOnlyList<long>> EndsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<long>>([.. partitions.Select(p => ends.GetValueOrDefault(p))]);

        public Task<IReadOnlyList<long>> BeginningsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<long>>([.. partitions.Select(p => beginnings.GetValueOrDefault(p))]);
    }

    private sealed record Served((string Partition, long Offset) Id, long EventTimeUs, long Count, bool IsCaughtUp);

    /// <summary>Keeps what it gets; only a flush makes it durable.</summary>
    private sealed class ListSink : ITriggerSink
    {
        public List<Served> Written { get; } = [];

        public List<Served> Durable { get; } = [];

        /// <summary>What earlier processes made durable.</summary>
        public IReadOnlyList<Served> Known { get; init; } = [];

        public int CrashAt { get; init; } = int.MaxValue;

        public string Name => "list";

        public long Assigned(PartitionId partition, long nextOffset) =>
            Known.Where(k => k.Id.Partition == partition.ToString()).Select(k => k.Id.Offset + 1).Append(nextOffset).Max();

        public Task WriteAsync(ServedBatch batch, IReadOnlyList<int> requests, CancellationToken cancellationToken)
        {
            Crash();
            foreach (var i in requests)
            {
                var trigger = batch.Triggers[i];
                Written.Add(new Served((trigger.Partition.ToString(), trigger.Offset), trigger.EventTimeUs, batch.Read.Row(i).Lanes[0], batch.IsCaughtUp));
            }

            return Task.CompletedTask;
        }

        public Task FlushAsync(CancellationToken cancellationToken)
        {
            Crash();
            Durable.AddRange(Written.Skip(Durable.Count).ToList());
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private void Crash()
        {
            if (Written.Count >= CrashAt)
                throw new InvalidOperationException("planted");
        }
    }
}
