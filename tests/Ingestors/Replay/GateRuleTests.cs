using StreamMl.Ingestors.Replay;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Tests.Replay;

public sealed class GateRuleTests
{
    private static readonly PartitionId Source = new("taps", 0);
    private static readonly PartitionId Routed = new("taps.by.shop", 1);
    private static readonly GateUnit SourceUnit = new("source", "s", Source, []);
    private static readonly GateUnit ViewUnit = new("view", "v", Routed, [Source]);

    [Fact]
    public void Decide_NobodyLags_GoesOnFromWhatWasReached() =>
        Decide([SourceUnit, ViewUnit], [At(10, 500), At(7, 100)], new SentTo(0, 10), routedEnd: 7).ShouldBe(new GateState(1_015, null));

    [Fact]
    public void Decide_SourceHasNotReadAll_HoldsAtItsClock() =>
        Decide([SourceUnit, ViewUnit], [At(9, 500), At(7, 100)], new SentTo(0, 10), routedEnd: 7).ShouldBe(new GateState(515, "source"));

    [Fact]
    public void Decide_SomethingIsOnItsWay_HoldsAtTheReadersClock() =>
        Decide([SourceUnit], [At(10, 500)], new SentTo(3, 10), routedEnd: 0).ShouldBe(new GateState(515, "source"));

    [Fact]
    public void Decide_ViewBehindItsRoutes_HoldsAtTheLeastClock() =>
        Decide([SourceUnit, ViewUnit], [At(9, 500), At(6, 100)], new SentTo(0, 10), routedEnd: 7).ShouldBe(new GateState(115, "view"));

    [Fact]
    public void Decide_UnitThatHasNotBegun_HoldsAtTheFirstArrival() =>
        Decide([SourceUnit], [null], new SentTo(0, 10), routedEnd: 0).ShouldBe(new GateState(65, "source"));

    [Fact]
    public void Decide_NothingSentYet_HoldsNobody() =>
        Decide([SourceUnit, ViewUnit], [null, null], default, routedEnd: 0).ShouldBe(new GateState(1_015, null));

    private static PositionRecord At(long nextOffset, long clockUs) => new(1, nextOffset, clockUs, clockUs, 0, []);

    private static GateState Decide(GateUnit[] units, PositionRecord?[] positions, SentTo sent, long routedEnd) => GateRule.Decide(
        units, i => positions[i], new Dictionary<PartitionId, Dictionary<string, long[]>> { [Source] = new() { [Routed.Topic] = [0, routedEnd] } },
        _ => sent, firstUs: 50, reachedUs: 1_000, boundUs: 15);
}
