using System.Runtime.CompilerServices;

namespace StreamMl.FeatureEngine.Aggregates;

/// <summary>Identity and update of the fixed-size parts. The formulas are those of docs/semantics.md. Pure.</summary>
internal static unsafe class Lanes
{
    /// <summary>The one NaN that is ever written, so that values have the same bits on every processor.</summary>
    public const long CanonicalNaN = 0x7FF8_0000_0000_0000;

    public static void Init(in LaneOp op, long* lanes)
    {
        new Span<long>(lanes + op.Lane, op.Width).Clear();
        switch (op.Kind)
        {
            case LaneOpKind.Stats:
                if ((op.Parts & StatsParts.Min) != 0)
                    *(double*)(lanes + op.MinLane) = double.PositiveInfinity;
                if ((op.Parts & StatsParts.Max) != 0)
                    *(double*)(lanes + op.MaxLane) = double.NegativeInfinity;
                break;
            case LaneOpKind.IntegerRange:
                lanes[op.Lane + 1] = long.MaxValue;
                lanes[op.Lane + 2] = long.MinValue;
                break;
            case LaneOpKind.First or LaneOpKind.Last:
                lanes[op.Lane + 1] = -1;
                break;
            case LaneOpKind.LastTime:
                lanes[op.Lane] = long.MinValue;
                break;
        }
    }

    /// <summary>Takes one row into a tile. <paramref name="values"/> holds the row's present values by column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Update(in LaneOp op, long* lanes, RowValue* values, long eventTimeUs, long offset)
    {
        var at = lanes + op.Lane;
        if (op.Kind == LaneOpKind.RowCount)
        {
            at[0]++;
            return;
        }

        if (op.Column >= 0 && values[op.Column].Present == 0)
            return;
        if (op.Kind == LaneOpKind.Stats)
        {
            UpdateStats(op.Parts, at, values[op.Column].Number);
            return;
        }

        UpdateOther(op.Kind, at, op.Column >= 0 ? values + op.Column : null, eventTimeUs, offset);
    }

    /// <summary>The update of the most common tile, see <see cref="LaneFold.IsCountAndStatistics"/>: the same as part by part, without looking at the parts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void UpdateCountAndStatistics(long* lanes, RowValue* value)
    {
        lanes[0]++;
        if (value->Present == 0)
            return;
        var x = value->Number;
        var values = (double*)lanes;
        lanes[1]++;
        values[2] += x;
        values[3] = double.MinNative(x, values[3]);
        values[4] = double.MaxNative(x, values[4]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UpdateStats(StatsParts parts, long* at, double x)
    {
        (*at++)++;
        if ((parts & StatsParts.Sum) != 0)
            *(double*)at++ += x;
        if ((parts & StatsParts.Min) != 0)
        {
            if (x < *(double*)at)
                *(double*)at = x;
            at++;
        }

        if ((parts & StatsParts.Max) != 0 && x > *(double*)at)
            *(double*)at = x;
    }

    private static void UpdateOther(LaneOpKind kind, long* at, RowValue* value, long eventTimeUs, long offset)
    {
        switch (kind)
        {
            case LaneOpKind.IntegerRange:
                at[0]++;
                at[1] = Math.Min(at[1], value->Lane);
                at[2] = Math.Max(at[2], value->Lane);
                break;
            case LaneOpKind.Moments:
                MergeMoments(at, 1, value->Number, 0);
                break;
            case LaneOpKind.First:
                MergeFirst(at, eventTimeUs, offset, value->Lane);
                break;
            case LaneOpKind.Last:
                MergeLast(at, eventTimeUs, offset, value->Lane);
                break;
            case LaneOpKind.LastTime:
                at[0] = Math.Max(at[0], eventTimeUs);
                break;
        }
    }

    /// <summary>
    /// Chan, Golub, LeVeque (1979): n = na + nb, d = mb - ma, mean = ma + d nb / n, m2 = m2a + m2b + d^2 na nb / n. A single value is
    /// (1, x, 0), so an update is the merge of a singleton, to the bit.
    /// </summary>
    public static void MergeMoments(long* at, long count, double mean, double m2)
    {
        if (count == 0)
            return;
        var values = (double*)at;
        var before = at[0];
        at[0] = before + count;
        if (before == 0)
        {
            values[1] = mean;
            values[2] = m2;
            return;
        }

        var delta = mean - values[1];
        var share = (double)count / at[0];
        values[1] += delta * share;
        values[2] += m2 + (delta * delta * before * share);
    }

    public static void MergeFirst(long* at, long eventTimeUs, long offset, long value)
    {
        if (offset < 0 || (at[1] >= 0 && (at[0] < eventTimeUs || (at[0] == eventTimeUs && at[1] <= offset))))
            return;
        at[0] = eventTimeUs;
        at[1] = offset;
        at[2] = value;
    }

    public static void MergeLast(long* at, long eventTimeUs, long offset, long value)
    {
        if (offset < 0 || (at[1] >= 0 && (at[0] > eventTimeUs || (at[0] == eventTimeUs && at[1] >= offset))))
            return;
        at[0] = eventTimeUs;
        at[1] = offset;
        at[2] = value;
    }
}

/// <summary>A row's value of one aggregated column. A null and a NaN are not present.</summary>
internal struct RowValue
{
    /// <summary>The value as a double (integers converted, ties to even; -0 is 0).</summary>
    public double Number;

    /// <summary>The value's own lane.</summary>
    public long Lane;

    public long Present;
}
