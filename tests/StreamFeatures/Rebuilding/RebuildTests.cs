using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Rebuilding;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Store;

namespace StreamMl.StreamFeatures.Tests.Rebuilding;

/// <summary>A store that was rebuilt from the archive is, to the byte, the store of a straight run; and so is what the stream makes of it afterwards.</summary>
public sealed class RebuildTests : IDisposable
{
    private const int Partitions = 2;

    private readonly string directory = Directory.CreateTempSubdirectory("streamml-rebuild-").FullName;

    private static IReadOnlyList<LogPlan> Plans => LogPlan.Of(TestCatalog.Catalog);

    [Fact]
    public Task All_LostStore_EqualsStraightRunAndSoDoesTheStreamAfterwards() => Cases(0).SampleAsync(
        async c =>
        {
            var lab = await LabAsync(c.Records, c.Archived);
            var rebuilt = new InMemoryStateStore();
            var before = Records(lab.Broker);
            await RebuildAsync(lab, rebuilt, Plans, c.States);
            Records(lab.Broker).ShouldBe(before, "what was sent before is not sent again");
            foreach (var partition in PartitionsOf(Plans))
                PipelineLab.Content(rebuilt, partition).ShouldBe(await StraightAsync(lab, TestCatalog.Catalog, partition, lab.Layout), $"{partition} at the hand-over");
            await ContinueAsync(lab, rebuilt, TestCatalog.Catalog);
            foreach (var partition in PartitionsOf(Plans))
                PipelineLab.Content(rebuilt, partition).ShouldBe(await StraightAsync(lab, TestCatalog.Catalog, partition, null), $"{partition} at the end");
        },
        iter: 12, threads: 1);

    [Fact]
    public Task Views_BesideARunningStore_WriteNothingElseAndEqualStraightRun() => Cases(0).SampleAsync(
        async c =>
        {
            var lab = await LabAsync(c.Records, c.Archived);
            var store = new InMemoryStateStore();
            var old = TestCatalog.With("aircraft_landed", "origin_landed");
            await ContinueAsync(lab, store, old);
            var before = store.Snapshot();
            await RebuildAsync(lab, store, LogPlan.Beside(TestCatalog.Catalog, v => v.View.Name is "origin_late" or "all_landed"), c.States);
            var after = store.Snapshot();
            foreach (var (key, value) in before)
                after[key].ShouldBe(value, key);
            // The new worker: all views, the old ones ahead of the new ones by what was not archived.
            await ContinueAsync(lab, store, TestCatalog.Catalog);
            foreach (var partition in PartitionsOf(Plans))
                ViewsOf(store, partition).ShouldBe(await StraightViewsAsync(lab, partition), $"{partition}");
        },
        iter: 12, threads: 1);

    [Fact]
    public async Task All_CutShort_GoesOnWhereItWas()
    {
        var lab = await LabAsync(RandomLog.Records(400, 400).Single(_ => true, "0000000000000"), 100);
        var store = new InMemoryStateStore();
        var commits = 0;
        // Claims go through: one that is lost is tried again for ever.
        store.Fault = commit => commit.Keys.Count > commit.CheckKeys.Count && ++commits > 4 ? CommitFault.LoseRequest : CommitFault.None;
        await Should.ThrowAsync<InvalidOperationException>(() => RebuildAsync(lab, store, Plans, states: 3));
        store.Fault = _ => CommitFault.None;
        await RebuildAsync(lab, store, Plans, states: 3);
        foreach (var partition in PartitionsOf(Plans))
            PipelineLab.Content(store, partition).ShouldBe(await StraightAsync(lab, TestCatalog.Catalog, partition, lab.Layout), $"{partition}");
    }

    [Fact]
    public async Task All_WhatTheWorkerHadReadAndNotSent_IsSent()
    {
        var lab = await LabAsync(RandomLog.Records(300, 300).Single(_ => true, "0000000000000"), 100);
        var routed = lab.Broker.Log("landings.by.origin").Count;
        var dead = lab.Broker.Log(LogNames.DeadLetterTopic(TestCatalog.Topic)).Count;
        // More came in and was archived, and no worker was there to route it.
        var more = RandomLog.Records(100, 100).Single(_ => true, "0000000000001");
        RandomLog.Fill(lab.Broker, Partitions, more);
        Archive(lab, TestCatalog.Topic, 100);
        await RebuildAsync(lab, new InMemoryStateStore(), Plans, 100);
        var expected = new FakeBroker(Partitions);
        foreach (var record in lab.Broker.Log(new PartitionId(TestCatalog.Topic, 0)).Concat(lab.Broker.Log(new PartitionId(TestCatalog.Topic, 1))))
            expected.Append(new PartitionId(TestCatalog.Topic, KeyPartitioner.PartitionOf(record.Key, Partitions)), record.TimestampUs, record.Key, record.Value, []);
        foreach (var partition in PartitionsOf(Plans).Where(p => p.Topic == TestCatalog.Topic))
            await new PipelineLab(expected, new InMemoryStateStore(), TestCatalog.Catalog).RunStraightAsync(partition);
        lab.Broker.Log("landings.by.origin").Count.ShouldBe(expected.Log("landings.by.origin").Count);
        lab.Broker.Log("landings.by.origin").Count.ShouldBeGreaterThan(routed);
        lab.Broker.Log(LogNames.DeadLetterTopic(TestCatalog.Topic)).Count.ShouldBe(expected.Log(LogNames.DeadLetterTopic(TestCatalog.Topic)).Count);
        lab.Broker.Log(LogNames.DeadLetterTopic(TestCatalog.Topic)).Count.ShouldBeGreaterThan(dead);
    }

    [Theory]
    [InlineData(0, 10, 0, 10, null)]
    [InlineData(0, 10, 10, 12, null)]
    [InlineData(0, 0, 0, 0, null)]
    [InlineData(3, 10, 0, 10, "the 3 offsets 0 to 2")]
    [InlineData(0, 10, 15, 20, "the 5 offsets 10 to 14")]
    [InlineData(0, 0, 7, 20, "the 7 offsets 0 to 6")]
    [InlineData(0, 10, 0, 4, "recreated or truncated")]
    public void HandOver_ArchiveAndTopic_MeetOrSayWhatIsMissing(long from, long to, long low, long high, string? problem)
    {
        void Check() => HandOver.Check(new PartitionId("t", 0), from, to, low, high);
        if (problem is null)
            Should.NotThrow(Check);
        else
            Should.Throw<HandOverException>(Check).Message.ShouldContain(problem);
    }

    [Fact]
    public async Task Rebuild_ArchiveWithAHole_IsRefusedBeforeAnythingIsWritten()
    {
        var lab = await LabAsync(RandomLog.Records(300, 300).Single(_ => true, "0000000000000"), 100, rollRecords: 20);
        var files = lab.Layout.Files(new PartitionId("landings.by.all", Parts("landings.by.all").MaxBy(p => lab.Broker.Log(p).Count).Partition));
        files.Count.ShouldBeGreaterThan(3);
        File.Delete(files[1].Path);
        var store = new InMemoryStateStore();
        (await Should.ThrowAsync<InvalidDataException>(() => RebuildAsync(lab, store, Plans, 100, DoNotDelete))).Message.ShouldContain("has a hole");
        store.Snapshot().ShouldBeEmpty();
    }

    [Fact]
    public async Task Rebuild_ArchiveWithAHoleThatWasAccepted_IsRefusedBeforeAnythingIsWritten()
    {
        var lab = await LabAsync(RandomLog.Records(300, 300).Single(_ => true, "0000000000000"), 50, rollRecords: 20);
        var partition = new PartitionId("landings.by.all", Parts("landings.by.all").MaxBy(p => lab.Broker.Log(p).Count).Partition);
        long end;
        using (var writer = new ArchivePartitionWriter(lab.Layout, partition, new ArchiveRollOptions()))
        {
            end = writer.NextOffset;
            writer.AcceptLoss(end + 3);
        }

        Archive(lab, partition.Topic, 100);
        var store = new InMemoryStateStore();
        (await Should.ThrowAsync<InvalidDataException>(() => RebuildAsync(lab, store, Plans, 100, DoNotDelete))).Message.ShouldContain($"{partition}: offsets {end} to {end + 2} (3)");
        store.Snapshot().ShouldBeEmpty();
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static Gen<((Landing? Event, long ArrivalUs)[] Records, int Archived, int States)> Cases(int least) =>
        Gen.Select(RandomLog.Records(250, 1), Gen.Int[least, 100], Gen.Int[1, 40]);

    /// <summary>A log that a worker has read to its end, and an archive of some percent of every log.</summary>
    private async Task<RebuildLab> LabAsync((Landing? Event, long ArrivalUs)[] records, int archivedPercent, int rollRecords = 1000)
    {
        var broker = new FakeBroker(Partitions);
        RandomLog.Fill(broker, Partitions, records);
        await RunAllAsync(broker, new InMemoryStateStore(), TestCatalog.Catalog);
        var layout = new ArchiveLayout(Path.Combine(directory, Path.GetRandomFileName()));
        layout.SaveSchema(Landing.SchemaId, TestCatalog.Avro);
        var lab = new RebuildLab(broker, layout);
        foreach (var plan in Plans)
        {
            layout.SetPartitions(plan.Topic, Partitions);
            Archive(lab, plan.Topic, archivedPercent, rollRecords);
        }

        return lab;
    }

    private static void Archive(RebuildLab lab, string topic, int percent, int rollRecords = 1000)
    {
        foreach (var partition in Parts(topic))
        {
            using var writer = new ArchivePartitionWriter(lab.Layout, partition, new ArchiveRollOptions { MaxRecords = rollRecords, BatchRecords = 64 });
            var log = lab.Broker.Log(partition);
            foreach (var record in log.Take(log.Count * percent / 100).Skip((int)writer.NextOffset))
            {
                var isCopy = DeliveredMarks.TryReadOrigin(name => record.Headers.FirstOrDefault(h => h.Name == Encoding.ASCII.GetString(name)).Value, out var source, out var offset);
                writer.Append(record.Offset, record.TimestampUs, record.Key, record.Key is not null, record.Value, record.Value is not null, isCopy ? source : -1, offset);
                if (writer.IsFull)
                    writer.Roll();
            }

            writer.Roll();
        }
    }

    private static Task DoNotDelete(CancellationToken cancellationToken) => throw new InvalidOperationException("what the store has is deleted for an archive that is then refused");

    private static Task<IReadOnlyList<RebuiltPartition>> RebuildAsync(RebuildLab lab, IStateStore store, IReadOnlyList<LogPlan> plans, int states, Func<CancellationToken, Task>? beforeWriting = null) =>
        new StoreRebuild(lab.Layout, store, lab.Broker, new StreamMetrics(), new StreamFeaturesOptions { CommitMaxStates = states, RetryDelayMs = 1 }, TimeProvider.System, NullLoggerFactory.Instance)
        {
            BeforeWritingAsync = beforeWriting ?? (_ => Task.CompletedTask),
            TopicOffsets = (p, _) => Task.FromResult((0L, (long)lab.Broker.Log(p).Count)),
            NoteDeliveredAsync = (p, from, marks, _) =>
            {
                foreach (var record in lab.Broker.Log(p).Where(r => r.Offset >= from))
                {
                    if (DeliveredMarks.TryReadOrigin(name => record.Headers.FirstOrDefault(h => h.Name == Encoding.ASCII.GetString(name)).Value, out var source, out var offset))
                        marks.Note(p, record.Offset, source, offset);
                }

                return Task.CompletedTask;
            },
        }.RunAsync(plans, TestContext.Current.CancellationToken);

    /// <summary>The worker goes on: sources first, then what they were copied to.</summary>
    private static Task ContinueAsync(RebuildLab lab, InMemoryStateStore store, Catalog catalog) => RunAllAsync(lab.Broker, store, catalog);

    private static async Task RunAllAsync(FakeBroker broker, InMemoryStateStore store, Catalog catalog)
    {
        foreach (var partition in PartitionsOf(LogPlan.Of(catalog)))
            await new PipelineLab(broker, store, catalog).RunStraightAsync(partition);
    }

    /// <summary>A straight run over what is archived, or over all that is in the log, with nothing else written to the lab's topics.</summary>
    private static async Task<SortedDictionary<string, string>> StraightAsync(RebuildLab lab, Catalog catalog, PartitionId partition, ArchiveLayout? layout)
    {
        var quiet = new FakeBroker(Partitions);
        var end = layout is null ? long.MaxValue : new ArchivePartitionReader(layout, partition).EndOffset;
        foreach (var record in lab.Broker.Log(partition).Where(r => r.Offset < end))
            quiet.Append(partition, record.TimestampUs, record.Key, record.Value, record.Headers);
        var store = new InMemoryStateStore();
        await new PipelineLab(quiet, store, catalog).RunStraightAsync(partition);
        return PipelineLab.Content(store, partition);
    }

    private static async Task<SortedDictionary<string, string>> StraightViewsAsync(RebuildLab lab, PartitionId partition) =>
        OnlyViews(await StraightAsync(lab, TestCatalog.Catalog, partition, null));

    private static SortedDictionary<string, string> ViewsOf(InMemoryStateStore store, PartitionId partition) => OnlyViews(PipelineLab.Content(store, partition));

    private static SortedDictionary<string, string> OnlyViews(SortedDictionary<string, string> content) =>
        new(content.Where(e => e.Key.Contains('@')).ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal);

    private static int Records(FakeBroker broker) => Plans.Sum(p => broker.Log(p.Topic).Count + broker.Log(LogNames.DeadLetterTopic(p.Topic)).Count);

    private static IEnumerable<PartitionId> PartitionsOf(IEnumerable<LogPlan> plans) => plans.SelectMany(p => Parts(p.Topic));

    private static IEnumerable<PartitionId> Parts(string topic) => Enumerable.Range(0, Partitions).Select(p => new PartitionId(topic, p));

    private sealed record RebuildLab(FakeBroker Broker, ArchiveLayout Layout);
}
