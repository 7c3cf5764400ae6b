using CsCheck;
using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Tiles;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Tests;

/// <summary>The laws of the fixed-size parts: each is a monoid, and an update is the merge of a singleton, to the bit.</summary>
public sealed unsafe class AggregateLawTests
{
    private static readonly LaneOp[] Ops =
    [
        new(LaneOpKind.RowCount, -1, 0),
        .. Enumerable.Range(0, 8).Select(parts => new LaneOp(LaneOpKind.Stats, 0, 0, (StatsParts)parts)),
        new(LaneOpKind.IntegerRange, 0, 0), new(LaneOpKind.Moments, 0, 0), new(LaneOpKind.First, 0, 0), new(LaneOpKind.Last, 0, 0),
        new(LaneOpKind.LastTime, -1, 0), new(LaneOpKind.LastTime, 0, 0),
    ];

    private static readonly LaneOp[] CountAndStatistics =
        [new(LaneOpKind.RowCount, -1, 0), new(LaneOpKind.Stats, 0, 1, StatsParts.Sum | StatsParts.Min | StatsParts.Max)];

    /// <summary>Rows in offset order; -0 and NaN never get here (ViewInput.Gather).</summary>
    private static Gen<Row[]> Rows(Gen<double> number) =>
        Gen.Select(number, Gen.Int[0, 9], Gen.Long[-3, 3]).Array[0, 12].Select(rows => rows.Select((r, i) => new Row(r.Item1, r.Item2 != 0, r.Item3, i)).ToArray());

    private static readonly Gen<double> Any = Gen.Frequency((6, Gen.Double[-1e9, 1e9]), (1, EngineLab.OneOf(0.0, 1e300, double.PositiveInfinity, double.NegativeInfinity)));
    private static readonly Gen<double> Whole = Gen.Int[-1000, 1000].Select(n => (double)n);

    public static TheoryData<int> AllOps => [.. Enumerable.Range(0, Ops.Length)];

    [Fact]
    public void Ops_AllKinds_AreHeldToTheLaws() => Ops.Select(o => o.Kind).Distinct().ShouldBe(Enum.GetValues<LaneOpKind>(), ignoreOrder: true);

    [Theory]
    [MemberData(nameof(AllOps))]
    public void Merge_WithTheIdentity_ChangesNothing(int op) => Rows(Any).Sample(rows =>
    {
        var tile = TileOf(Ops[op], rows);
        Merge(Ops[op], tile, TileOf(Ops[op], [])).ShouldBe(tile);
        Merge(Ops[op], TileOf(Ops[op], []), tile).ShouldBe(tile);
    });

    [Theory]
    [MemberData(nameof(AllOps))]
    public void Update_AnyRow_IsTheMergeOfASingleton(int op) => Gen.Select(Rows(Any), Any).Sample((rows, x) =>
    {
        var next = new Row(x, true, 1, 100);
        Merge(Ops[op], TileOf(Ops[op], rows), TileOf(Ops[op], [next])).ShouldBe(TileOf(Ops[op], [.. rows, next]));
    });

    // Sums of whole numbers round nowhere; of others only the one order that docs/semantics.md names is promised, and of moments too.
    [Theory]
    [MemberData(nameof(AllOps))]
    public void Merge_ThreeTiles_IsAssociativeWherePromised(int op)
    {
        if (Ops[op].Kind == LaneOpKind.Moments)
            return;
        var numbers = (Ops[op].Parts & StatsParts.Sum) != 0 ? Whole : Any;
        Gen.Select(Rows(numbers), Gen.Int[0, 12], Gen.Int[0, 12]).Sample((rows, i, j) =>
        {
            var (low, high) = (Math.Min(Math.Min(i, j), rows.Length), Math.Min(Math.Max(i, j), rows.Length));
            var (a, b, c) = (TileOf(Ops[op], rows[..low]), TileOf(Ops[op], rows[low..high]), TileOf(Ops[op], rows[high..]));
            Merge(Ops[op], Merge(Ops[op], a, b), c).ShouldBe(Merge(Ops[op], a, Merge(Ops[op], b, c)));
        });
    }

    [Fact]
    public void CountAndStatistics_AnyRows_IsTheSameAsPartByPart() => Gen.Select(Rows(Any), Rows(Any)).Sample((first, second) =>
    {
        LaneFold.IsCountAndStatistics(CountAndStatistics).ShouldBeTrue();
        var byParts = new long[2][] { new long[6], new long[6] };
        var fused = new long[2][] { new long[6], new long[6] };
        foreach (var (rows, t) in new[] { (first, 0), (second, 1) })
        {
            fixed (long* parts = byParts[t], whole = fused[t])
            {
                foreach (var op in CountAndStatistics)
                {
                    Lanes.Init(op, parts + 1);
                    Lanes.Init(op, whole + 1);
                }

                foreach (var row in rows)
                {
                    var value = row.Value;
                    Lanes.UpdateCountAndStatistics(whole + 1, &value);
                    foreach (var op in CountAndStatistics)
                        Lanes.Update(op, parts + 1, &value, row.AtUs, row.Offset);
                }
            }
        }

        fused.ShouldBe(byParts);
        fixed (long* into = byParts[0], whole = fused[0], from = byParts[1])
        {
            var run = new TileRun((byte*)from, 1, 48);
            LaneFold.FoldCountAndStatistics(whole + 1, new TileRuns(run, default, default));
            foreach (var op in CountAndStatistics)
                LaneFold.Fold(op, into + 1, run);
        }

        fused[0].ShouldBe(byParts[0]);
    });

    [Fact]
    public void HopGrid_AnyTimeAndHop_IsTheTimeGridsFloor()
    {
        var hops = Gen.Frequency((3, EngineLab.OneOf(TimeGrid.LadderUs.ToArray())), (2, Gen.Long[1, 400_000_000_000]), (1, EngineLab.OneOf(1L, 2, 3, 1L << 40, (1L << 40) + 1, (1L << 40) - 1)));
        var times = Gen.Frequency((4, Gen.Long[-1_000_000_000_000_000, 5_000_000_000_000_000]), (1, Gen.Long[0, long.MaxValue]), (1, Gen.Long[-10, 10]));
        Gen.Select(hops, times, Gen.Long[-1, 1]).Sample(
            (hop, time, near) =>
            {
                var grid = new HopGrid(hop);
                grid.Floor(time).ShouldBe(TimeGrid.Floor(time, hop));
                var edge = TimeGrid.Floor(time, hop);
                if (edge < long.MaxValue && edge > long.MinValue + hop)
                    grid.Floor(edge + near).ShouldBe(TimeGrid.Floor(edge + near, hop));
            },
            iter: 20_000);
        new HopGrid(0).Floor(123).ShouldBe(0);
    }

    private static long[] TileOf(LaneOp op, Row[] rows)
    {
        var lanes = new long[op.Width];
        fixed (long* at = lanes)
        {
            Lanes.Init(op, at);
            foreach (var row in rows)
            {
                var value = row.Value;
                Lanes.Update(op, at, &value, row.AtUs, row.Offset);
            }
        }

        return lanes;
    }

    private static long[] Merge(LaneOp op, long[] a, long[] b)
    {
        var into = a.ToArray();
        long[] tile = [0, .. b];
        fixed (long* at = into, from = tile)
            LaneFold.Fold(op, at, new TileRun((byte*)from, 1, tile.Length * 8));
        return into;
    }

    private sealed record Row(double X, bool Present, long AtUs, long Offset)
    {
        public RowValue Value => new() { Number = X, Lane = BitConverter.DoubleToInt64Bits(X), Present = Present ? 1 : 0 };
    }
}
