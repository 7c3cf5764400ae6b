using CsCheck;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Store;

namespace StreamMl.StreamFeatures.Tests.Logs;

/// <summary>Where a position begins that the store does not have, and what is lost then.</summary>
public sealed class LogEdgeTests
{
    private static readonly PartitionId Partition = new("landings", 0);

    [Theory]
    [InlineData(0, null, false, false, 0, false)]
    [InlineData(0, 0L, true, false, 0, false)]
    [InlineData(500, null, false, false, 500, false)]
    [InlineData(500, null, true, false, 0, true)]
    [InlineData(500, null, true, true, 500, false)]
    [InlineData(500, 0L, false, false, 0, true)]
    [InlineData(500, 0L, false, true, 500, false)]
    [InlineData(500, 500L, true, false, 500, false)]
    [InlineData(500, 300L, false, false, 300, true)]
    public void StartOf_AbsentPosition_BeginsLateOnlyWhereNobodyKnowsOfAnythingBefore(long first, long? heldFrom, bool isKnownBefore, bool isAnew, long start, bool isLost)
    {
        var edge = new LogEdge(first, [isKnownBefore]);
        edge.StartOf(0, heldFrom, isAnew).ShouldBe(start);
        edge.LossOf(Partition, start).ShouldBe(isLost ? new LostRange(Partition, start, first) : null);
    }

    [Fact]
    public async Task TakeAsync_ViewIsNewOnACutLog_ItBeginsLateBesideTheLogsOwnPosition()
    {
        var store = new InMemoryStateStore();
        var before = LogPlan.Of(TestCatalog.With("aircraft_landed"))[0];
        var after = LogPlan.Of(TestCatalog.With("aircraft_landed", "origin_landed"))[0];
        var own = await Claim.TakeAsync(store, before, Partition, default);
        own.BegunLate.ShouldBeEmpty();
        after.Views.Count.ShouldBe(1, "the other one reads the repartition topic");
        var repartition = LogPlan.Of(TestCatalog.With("origin_landed", "origin_late"))[1];
        var log = new PartitionId(repartition.Topic, 0);

        var claim = await Claim.TakeAsync(store, repartition, log, new LogEdge(500, []), held: null, default);

        claim.Least.NextOffset.ShouldBe(500);
        claim.Positions.ShouldAllBe(p => p.FromOffset == 500);
        claim.BegunLate.ShouldBe(repartition.PositionNames);
        (await Claim.TakeAsync(store, repartition, log, new LogEdge(700, []), held: null, default)).Least.NextOffset.ShouldBe(500, "what is written down stays");
    }

    [Fact]
    public async Task TakeAsync_SaidToBeginAnew_HoldsForOneClaim()
    {
        var store = new InMemoryStateStore();
        var plan = LogPlan.Of(TestCatalog.With("aircraft_landed"))[0];
        var commit = new StoreCommit(Partition);
        foreach (var key in plan.PositionKeys(Partition))
            commit.Set(System.Text.Encoding.UTF8.GetBytes(LogNames.AnewKey(key)), [1]);
        await store.CommitAsync(commit, default);
        var edge = new LogEdge(500, [true, true]);

        (await Claim.TakeAsync(store, plan, Partition, edge, held: null, default)).Least.NextOffset.ShouldBe(500);

        store.Restore([]);
        (await Claim.TakeAsync(store, plan, Partition, edge, held: null, default)).Least.NextOffset.ShouldBe(0);
    }

    [Fact]
    public void Position_AnyFromOffset_ComesBackAndIsNotInTheBytesWhereItIsZero() =>
        Gen.Select(Gen.Long[0, 1L << 40], Gen.Long[0, 3].SelectMany(b => b == 0 ? Gen.Const(0L) : Gen.Long[1, 1L << 40]), Gen.Long.Array[0, 3]).Sample((next, from, sources) =>
        {
            var position = new PositionRecord(3, next, 4, 5, 6, sources) { FromOffset = from };
            var bytes = position.Encode();
            var back = PositionRecord.Decode(bytes);
            back.Encode().ShouldBe(bytes);
            (back.FromOffset, back.NextOffset).ShouldBe((from, next));
            back.SourceOffsets.ShouldBe(sources);
            bytes.Length.ShouldBe(45 + (8 * sources.Length) + (from > 0 ? 8 : 0));
        });
}
