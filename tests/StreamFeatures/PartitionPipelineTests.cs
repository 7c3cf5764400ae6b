using CsCheck;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Partitions;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Store;

namespace StreamMl.StreamFeatures.Tests;

public sealed class PartitionPipelineTests
{
    private static readonly PartitionId Landings = new(TestCatalog.Topic, 0);
    private static readonly PartitionId ByOrigin = new("landings.by.origin", 0);

    private enum Step
    {
        Feed,
        FeedAgain,
        Commit,
        Crash,
        LoseAnswer,
        LoseRequest,
        Zombie,
    }

    [Fact]
    public async Task Pipeline_WhateverTheCutsAndFaults_StoreEqualsStraightRunAndLedgerBalances() =>
        await Gen.Select(RandomLog.Records(120), Gen.Enum<Step>().Array[1, 60], Gen.Int[1, 9]).SampleAsync(
            async (records, steps, cut) =>
            {
                var (expected, expectedBroker) = await StraightAsync(records);
                var broker = new FakeBroker(1);
                RandomLog.Fill(broker, 1, records);
                var store = new InMemoryStateStore();
                await TortureAsync(new PipelineLab(broker, store, TestCatalog.Catalog, residentBytes: 1), store, Landings, steps, cut);
                PipelineLab.Content(store, Landings).ShouldBe(PipelineLab.Content(expected, Landings));
                var ledger = PipelineLab.Ledger(store, Landings);
                ledger.Balances.ShouldBeTrue(ledger.ToString());
                ledger.Read.ShouldBe(records.Length);

                // Dead letters and repartitioned records are sent at least once; the gate of the next log drops what came twice.
                broker.Log(ByOrigin.Topic).Count.ShouldBeGreaterThanOrEqualTo(expectedBroker.Log(ByOrigin.Topic).Count);
                await TortureAsync(new PipelineLab(broker, store, TestCatalog.Catalog, residentBytes: 1), store, ByOrigin, steps, cut);
                var sameLog = new InMemoryStateStore();
                await new PipelineLab(broker, sameLog, TestCatalog.Catalog).RunStraightAsync(ByOrigin);
                PipelineLab.Content(store, ByOrigin).ShouldBe(PipelineLab.Content(sameLog, ByOrigin));
                var routed = PipelineLab.Ledger(store, ByOrigin);
                routed.Balances.ShouldBeTrue(routed.ToString());
                (routed.Read - routed.Duplicate).ShouldBe(PipelineLab.Ledger(expected, ByOrigin).Read);
            },
            iter: 150);

    [Fact]
    public async Task Pipeline_ViewAddedLater_ReplaysAloneAndMeetsTheOthers() =>
        await Gen.Select(RandomLog.Records(80), Gen.Int[1, 9]).SampleAsync(
            async (records, cut) =>
            {
                var (expected, _) = await StraightAsync(records);
                var broker = new FakeBroker(1);
                RandomLog.Fill(broker, 1, records);
                var store = new InMemoryStateStore();
                await new PipelineLab(broker, store, TestCatalog.Catalog).RunStraightAsync(Landings);
                var count = broker.Log(ByOrigin.Topic).Count;
                await new PipelineLab(broker, store, TestCatalog.With("origin_landed")).RunStraightAsync(ByOrigin);
                await TortureAsync(new PipelineLab(broker, store, TestCatalog.With("origin_landed", "origin_late")), store, ByOrigin, [Step.Feed, Step.Commit, Step.Crash], cut);

                // All but the ledger, which tells what the views of the day made of a record.
                var ledger = LogNames.LedgerKey(ByOrigin);
                PipelineLab.Content(store, ByOrigin).Where(e => e.Key != ledger).ShouldBe(PipelineLab.Content(expected, ByOrigin).Where(e => e.Key != ledger));
                PipelineLab.Ledger(store, ByOrigin).Balances.ShouldBeTrue();
                broker.Log(ByOrigin.Topic).Count.ShouldBe(count);
            },
            iter: 50);

    [Fact]
    public async Task Pipeline_BadRecords_GoToDeadLettersWithReasonAndOriginalBytes()
    {
        var broker = new FakeBroker(1);
        RandomLog.Fill(broker, 1, [(null, 1_700_000_000_000_000), (new Landing("N1", 1_700_000_900_000_000, "A", 1), 1_700_000_000_000_000)]);
        var store = new InMemoryStateStore();
        await new PipelineLab(broker, store, TestCatalog.Catalog).RunStraightAsync(Landings);
        var letters = broker.Log("landings.dead-letter");
        letters.Count.ShouldBe(2);
        letters[0].Value.ShouldBe(broker.At(Landings, 0)!.Value);
        letters[1].Header("reason").ShouldContain("maxFutureSkew");
        letters[1].Header("source-offset").ShouldBe("1");
        letters[1].Header("source-topic").ShouldBe("landings");
        PipelineLab.Ledger(store, Landings).ShouldBe(new LedgerCounts(2, 0, 0, 0, 0, 2));
    }

    [Fact]
    public async Task Pipeline_SourceThatNoViewReads_HasALedgerAndDeadLetters()
    {
        var broker = new FakeBroker(1);
        RandomLog.Fill(broker, 1, [(null, 1_700_000_000_000_000), (new Landing("N1", 1_700_000_000_000_000, "A", 1), 1_700_000_000_000_000)]);
        var store = new InMemoryStateStore();
        await new PipelineLab(broker, store, TestCatalog.With()).RunStraightAsync(Landings);
        broker.Log("landings.dead-letter").Count.ShouldBe(1);
        PipelineLab.Ledger(store, Landings).ShouldBe(new LedgerCounts(2, 0, 0, 0, 1, 1));
    }

    [Fact]
    public async Task Commit_DeliveryFails_StartsOverAndNothingIsWritten()
    {
        var broker = new FakeBroker(1);
        RandomLog.Fill(broker, 1, [(new Landing("N1", 1_700_000_000_000_000, "A", 1), 1_700_000_000_000_000)]);
        broker.Fault = _ => new TimeoutException("planted");
        var store = new InMemoryStateStore();
        var lab = new PipelineLab(broker, store, TestCatalog.Catalog);
        using var pipeline = await lab.OpenAsync(Landings);
        await lab.FeedAsync(pipeline, Landings, 10);
        (await PipelineLab.CommitAsync(pipeline)).ShouldBe(CommitVerdict.StartOver);
        PipelineLab.Ledger(store, Landings).ShouldBe(default);
    }

    [Fact]
    public async Task Verify_StoreWentBack_StartsOver_AndNewerOwner_Fences()
    {
        var broker = new FakeBroker(1);
        RandomLog.Fill(broker, 1, [(new Landing("N1", 1_700_000_000_000_000, "A", 1), 1_700_000_000_000_000)]);
        var store = new InMemoryStateStore();
        var lab = new PipelineLab(broker, store, TestCatalog.Catalog);
        using var pipeline = await lab.OpenAsync(Landings);
        var before = store.Snapshot();
        await lab.FeedAsync(pipeline, Landings, 10);
        await PipelineLab.CommitAsync(pipeline);
        (await pipeline.VerifyAsync(default)).ShouldBe(CommitVerdict.Committed);
        store.Restore(before);
        (await pipeline.VerifyAsync(default)).ShouldBe(CommitVerdict.StartOver);
        using var newer = await lab.OpenAsync(Landings);
        (await pipeline.VerifyAsync(default)).ShouldBe(CommitVerdict.Fenced);
    }

    [Fact]
    public async Task Process_StatesAreLoadedWhileTheStoreIsBackInTime_StartsOver()
    {
        // The store goes back and comes forth again before the next commit, which would pass its check with states of the wrong time.
        var broker = new FakeBroker(1);
        RandomLog.Fill(broker, 1, [.. Enumerable.Repeat(((Landing?)new Landing("N1", 1_700_000_000_000_000, "A", 1), 1_700_000_000_000_000L), 3)]);
        var store = new InMemoryStateStore();
        var lab = new PipelineLab(broker, store, TestCatalog.Catalog);
        using (var first = await lab.OpenAsync(Landings))
        {
            await lab.FeedAsync(first, Landings, 1);
            await PipelineLab.CommitAsync(first);
        }

        var early = store.Snapshot();
        using (var second = await lab.OpenAsync(Landings))
        {
            await lab.FeedAsync(second, Landings, 1);
            await PipelineLab.CommitAsync(second);
        }

        using var pipeline = await lab.OpenAsync(Landings);
        var now = store.Snapshot();
        store.Restore(early);
        (await lab.ProcessAsync(pipeline, Landings, 1)).ShouldBe(CommitVerdict.StartOver);
        store.Restore(now);
        (await pipeline.VerifyAsync(default)).ShouldBe(CommitVerdict.Committed);
    }

    [Fact]
    public async Task Claim_StoreGoesBackBeforeTheLedgerIsRead_ClaimsAgain()
    {
        var broker = new FakeBroker(1);
        RandomLog.Fill(broker, 1, [(new Landing("N1", 1_700_000_000_000_000, "A", 1), 1_700_000_000_000_000)]);
        var store = new InMemoryStateStore();
        var lab = new PipelineLab(broker, store, TestCatalog.Catalog);
        var early = store.Snapshot();
        await lab.RunStraightAsync(Landings);
        var moving = new GoesBackStore(store, early, beforeRead: 2);
        await Should.ThrowAsync<StoreUnavailableException>(() => Claim.TakeAsync(moving, lab.Context(Landings).Plan, Landings, default));
        (await Claim.TakeAsync(moving, lab.Context(Landings).Plan, Landings, default)).Ledger.ShouldBe(default);
    }

    private sealed class GoesBackStore(InMemoryStateStore store, SortedDictionary<string, byte[]> to, int beforeRead) : IStateStore
    {
        private int reads;

        public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) => store.CommitAsync(commit, cancellationToken);

        public Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken)
        {
            if (++reads == beforeRead)
                store.Restore(to);
            return store.ReadAsync(keys, cancellationToken);
        }
    }

    private static async Task<(InMemoryStateStore Store, FakeBroker Broker)> StraightAsync((Landing? Event, long ArrivalUs)[] records)
    {
        var broker = new FakeBroker(1);
        RandomLog.Fill(broker, 1, records);
        var store = new InMemoryStateStore();
        var lab = new PipelineLab(broker, store, TestCatalog.Catalog);
        await lab.RunStraightAsync(Landings);
        await lab.RunStraightAsync(ByOrigin);
        return (store, broker);
    }

    // Takes the steps, then the rest of the log.
    private static async Task TortureAsync(PipelineLab lab, InMemoryStateStore store, PartitionId partition, Step[] steps, int cut)
    {
        var pipeline = await lab.OpenAsync(partition);
        foreach (var step in steps)
        {
            switch (step)
            {
                case Step.Feed:
                    await lab.FeedAsync(pipeline, partition, cut);
                    break;
                case Step.FeedAgain:
                    await lab.FeedAsync(pipeline, partition, cut, redelivered: 3);
                    break;
                case Step.Commit when pipeline.UncommittedRecords > 0:
                    (await PipelineLab.CommitAsync(pipeline)).ShouldBe(CommitVerdict.Committed);
                    break;
                case Step.Crash:
                    pipeline = await ReopenAsync(pipeline);
                    break;
                case Step.LoseAnswer or Step.LoseRequest when pipeline.UncommittedRecords > 0:
                    store.Fault = _ => step == Step.LoseAnswer ? CommitFault.LoseAnswer : CommitFault.LoseRequest;
                    var verdict = await PipelineLab.CommitAsync(pipeline);
                    store.Fault = _ => CommitFault.None;
                    if (verdict != CommitVerdict.Committed)
                        pipeline = await ReopenAsync(pipeline);
                    break;
                case Step.Zombie when pipeline.UncommittedRecords > 0:
                    var zombie = pipeline;
                    pipeline = await lab.OpenAsync(partition);
                    (await PipelineLab.CommitAsync(zombie)).ShouldBe(CommitVerdict.Fenced);
                    zombie.Dispose();
                    break;
            }
        }

        while (await lab.FeedAsync(pipeline, partition, cut))
        {
        }

        if (pipeline.UncommittedRecords > 0)
            (await PipelineLab.CommitAsync(pipeline)).ShouldBe(CommitVerdict.Committed);
        pipeline.Dispose();

        async Task<PartitionPipeline> ReopenAsync(PartitionPipeline old)
        {
            old.Dispose();
            return await lab.OpenAsync(partition);
        }
    }
}
