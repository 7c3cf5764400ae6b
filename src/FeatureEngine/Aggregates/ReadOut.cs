using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Features;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Aggregates;

/// <summary>From a folded part to a value. Counts of nothing are 0; everything else of nothing is null. Pure.</summary>
internal static unsafe class ReadOut
{
    public static void Write(in LaneOp op, ReadOutKind kind, long* lanes, long timeUs, FeatureRow into, int column)
    {
        var at = lanes + op.Lane;
        switch (kind)
        {
            case ReadOutKind.RowCount or ReadOutKind.ValueCount:
                into.Set(column, at[0]);
                break;
            case ReadOutKind.Edge:
                SetIf(at[1] >= 0, into, column, at[2]);
                break;
            case ReadOutKind.TimeSinceLast:
                SetIf(at[0] != long.MinValue, into, column, BitConverter.DoubleToInt64Bits(Math.Max(0, timeUs - at[0]) / (double)TimeGrid.MicrosPerSecond));
                break;
            case ReadOutKind.IntegerMin:
                SetIf(at[0] > 0, into, column, at[1]);
                break;
            case ReadOutKind.IntegerMax:
                SetIf(at[0] > 0, into, column, at[2]);
                break;
            case ReadOutKind.VarianceSample or ReadOutKind.StddevSample:
                SetNumber(at[0] > 1, into, column, Spread(kind == ReadOutKind.StddevSample, *(double*)(at + 2), at[0] - 1));
                break;
            case ReadOutKind.VariancePopulation or ReadOutKind.StddevPopulation:
                SetNumber(at[0] > 0, into, column, Spread(kind == ReadOutKind.StddevPopulation, *(double*)(at + 2), at[0]));
                break;
            default:
                SetNumber(at[0] > 0, into, column, Statistic(op, kind, lanes));
                break;
        }
    }

    private static double Statistic(in LaneOp op, ReadOutKind kind, long* lanes) => kind switch
    {
        ReadOutKind.Sum => *(double*)(lanes + op.SumLane),
        ReadOutKind.Mean => *(double*)(lanes + op.SumLane) / lanes[op.Lane],
        ReadOutKind.Min => *(double*)(lanes + op.MinLane),
        ReadOutKind.Max => *(double*)(lanes + op.MaxLane),
        _ => throw new InvalidOperationException($"no statistic {kind}"),
    };

    private static double Spread(bool root, double m2, long divisor) => root ? Math.Sqrt(m2 / divisor) : m2 / divisor;

    private static void SetNumber(bool present, FeatureRow into, int column, double value) =>
        SetIf(present, into, column, double.IsNaN(value) ? Lanes.CanonicalNaN : BitConverter.DoubleToInt64Bits(value));

    private static void SetIf(bool present, FeatureRow into, int column, long lane)
    {
        if (present)
            into.Set(column, lane);
        else
            into.SetNull(column);
    }
}
