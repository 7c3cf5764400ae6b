using System.Runtime.CompilerServices;

namespace StreamMl.FeatureEngine.Aggregates;

/// <summary>
/// A run of tiles in ascending time: each is its start (i64, microseconds) followed by the level's lanes, <paramref name="strideBytes"/> apart.
/// The same in memory and in the store. Unaligned access is allowed.
/// </summary>
internal readonly unsafe struct TileRun(byte* tiles, int count, int strideBytes)
{
    public readonly byte* Tiles = tiles;
    public readonly int Count = count;
    public readonly int StrideBytes = strideBytes;

    public byte* Tile(int i) => Tiles + ((long)i * StrideBytes);

    public long StartUs(int i) => *(long*)Tile(i);

    /// <summary>The tiles with start >= <paramref name="startUs"/>: mostly all.</summary>
    public TileRun From(long startUs)
    {
        if (Count == 0 || StartUs(0) >= startUs)
            return this;
        var skipped = LowerBound(startUs);
        return new TileRun(Tile(skipped), Count - skipped, StrideBytes);
    }

    /// <summary>The tiles with from &lt;= start &lt;= to.</summary>
    public TileRun Between(long fromUs, long toUs)
    {
        if (Count == 0)
            return this;
        var first = StartUs(0) >= fromUs ? 0 : StartUs(Count - 1) < fromUs ? Count : LowerBound(fromUs);
        var end = Count;
        while (end > first && StartUs(end - 1) > toUs)
            end--;
        return new TileRun(Tile(first), end - first, StrideBytes);
    }

    /// <summary>Index of the first tile with start >= <paramref name="startUs"/>.</summary>
    public int LowerBound(long startUs)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (StartUs(middle) < startUs)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}

/// <summary>The tiles of a level, ascending: older, newer, open. Any may be empty.</summary>
internal readonly struct TileRuns(TileRun older, TileRun newer, TileRun open)
{
    public readonly TileRun Older = older;
    public readonly TileRun Newer = newer;
    public readonly TileRun Open = open;

    /// <summary>The tiles with from &lt;= start &lt;= to.</summary>
    public TileRuns Between(long fromUs, long toUs) => new(Older.Between(fromUs, toUs), Newer.Between(fromUs, toUs), Open.Between(fromUs, toUs));
}

/// <summary>Merges tiles into an accumulator from left to right, in time order: the only association there is. Pure.</summary>
internal static unsafe class LaneFold
{
    private const StatsParts AllParts = StatsParts.Sum | StatsParts.Min | StatsParts.Max;

    /// <summary>Folds a run into <paramref name="into"/>, which holds the identity or the fold of earlier tiles.</summary>
    public static void Fold(in LaneOp op, long* into, TileRun run)
    {
        var stride = run.StrideBytes;
        var tile = run.Tiles + 8 + (8 * op.Lane);
        var end = tile + ((long)stride * run.Count);
        var at = into + op.Lane;
        switch (op.Kind)
        {
            case LaneOpKind.RowCount:
                for (; tile < end; tile += stride)
                    at[0] += *(long*)tile;
                break;
            case LaneOpKind.Stats:
                FoldStats(op.Parts, at, tile, end, stride);
                break;
            case LaneOpKind.LastTime:
                for (; tile < end; tile += stride)
                    at[0] = Math.Max(at[0], *(long*)tile);
                break;
            default:
                for (; tile < end; tile += stride)
                    MergeOther(op.Kind, at, (long*)tile);
                break;
        }
    }

    /// <summary>Whether a level keeps a row count and count, sum, min, max of one column, the most common tile, which is updated and folded as one.</summary>
    public static bool IsCountAndStatistics(ReadOnlySpan<LaneOp> ops) =>
        ops.Length == 2 && ops[0].Kind == LaneOpKind.RowCount && ops[1].Kind == LaneOpKind.Stats && ops[1].Parts == AllParts;

    /// <summary>Folds both parts of such tiles in one pass.</summary>
    public static void FoldCountAndStatistics(long* into, in TileRuns runs)
    {
        var values = (double*)into;
        var all = new CountAndStatistics { Rows = into[0], Count = into[1], Sum = values[2], Min = values[3], Max = values[4] };
        Fold(ref all, runs.Older);
        Fold(ref all, runs.Newer);
        Fold(ref all, runs.Open);
        (into[0], into[1], values[2], values[3], values[4]) = (all.Rows, all.Count, all.Sum, all.Min, all.Max);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold(ref CountAndStatistics into, TileRun run)
    {
        var tile = run.Tiles + 8;
        for (var left = run.Count; left > 0; left--, tile += run.StrideBytes)
        {
            var from = (double*)tile;
            into.Rows += ((long*)tile)[0];
            into.Count += ((long*)tile)[1];
            into.Sum += from[2];
            into.Min = Least(into.Min, from[3]);
            into.Max = Greatest(into.Max, from[4]);
        }
    }

    private static void FoldStats(StatsParts parts, long* at, byte* tile, byte* end, int stride)
    {
        if (parts == AllParts)
        {
            FoldAll(at, tile, end, stride);
            return;
        }

        for (; tile < end; tile += stride)
        {
            var from = (long*)tile;
            var into = at;
            *into++ += *from++;
            if ((parts & StatsParts.Sum) != 0)
                *(double*)into++ += *(double*)from++;
            if ((parts & StatsParts.Min) != 0)
            {
                *(double*)into = Least(*(double*)into, *(double*)from++);
                into++;
            }

            if ((parts & StatsParts.Max) != 0)
                *(double*)into = Greatest(*(double*)into, *(double*)from);
        }
    }

    private static void FoldAll(long* at, byte* tile, byte* end, int stride)
    {
        var values = (double*)at;
        var count = at[0];
        double sum = values[1], min = values[2], max = values[3];
        for (; tile < end; tile += stride)
        {
            var from = (double*)tile;
            count += *(long*)tile;
            sum += from[1];
            min = Least(min, from[2]);
            max = Greatest(max, from[3]);
        }

        at[0] = count;
        values[1] = sum;
        values[2] = min;
        values[3] = max;
    }

    // Values are never NaN nor -0, so the processor's own minimum gives one answer whatever the order.
    private static double Least(double a, double b) => double.MinNative(a, b);

    private static double Greatest(double a, double b) => double.MaxNative(a, b);

    private static void MergeOther(LaneOpKind kind, long* at, long* tile)
    {
        switch (kind)
        {
            case LaneOpKind.IntegerRange:
                at[0] += tile[0];
                at[1] = Math.Min(at[1], tile[1]);
                at[2] = Math.Max(at[2], tile[2]);
                break;
            case LaneOpKind.Moments:
                Lanes.MergeMoments(at, tile[0], *(double*)(tile + 1), *(double*)(tile + 2));
                break;
            case LaneOpKind.First:
                Lanes.MergeFirst(at, tile[0], tile[1], tile[2]);
                break;
            case LaneOpKind.Last:
                Lanes.MergeLast(at, tile[0], tile[1], tile[2]);
                break;
        }
    }

    private struct CountAndStatistics
    {
        public long Rows;
        public long Count;
        public double Sum;
        public double Min;
        public double Max;
    }
}
