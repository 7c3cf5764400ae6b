using StreamMl.Shared.Features;
using StreamMl.Shared.Time;

namespace StreamMl.ModelEngine.Steps;

internal sealed class ImputeOp(int source, int target, int indicator, double value) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var x = registers[source];
        var missing = double.IsNaN(x);
        registers[target] = missing ? value : x;
        if (indicator >= 0)
            registers[indicator] = missing ? 1 : 0;
    }
}

internal sealed class TextMissingOp(int column, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch) => registers[target] = row.Valid[column] == 0 ? 1 : 0;
}

/// <summary>(x - subtract) / divide.</summary>
internal sealed class ScaleOp(int source, int target, double subtract, double divide) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch) => registers[target] = (registers[source] - subtract) / divide;
}

internal sealed class MinMaxOp(int source, int target, MinMaxStep step) : EncodeOp
{
    private readonly double width = step.Max - step.Min;

    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var x = registers[source];
        var share = width > 0 ? (x - step.Min) / width : double.IsNaN(x) ? x : 0;
        if (step.Clip && !double.IsNaN(share))
            share = Math.Clamp(share, 0, 1);
        registers[target] = step.Low + (share * (step.High - step.Low));
    }
}

internal sealed class LogOp(int source, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var x = registers[source];
        registers[target] = double.CopySign(Log1P(Math.Abs(x)), x);
    }

    // ln(1 + x) without losing a small x to the 1 (W. Kahan's correction).
    private static double Log1P(double x)
    {
        var u = 1 + x;
        return u == 1 || double.IsPositiveInfinity(u) ? x : Math.Log(u) * (x / (u - 1));
    }
}

internal sealed class ClipOp(int source, int target, double low, double high) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var x = registers[source];
        registers[target] = x < low ? low : x > high ? high : x;
    }
}

internal sealed class DiscretizeOp(int source, int target, double[] bounds) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var x = registers[source];
        if (double.IsNaN(x))
        {
            registers[target] = x;
            return;
        }

        int low = 0, high = bounds.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (bounds[middle] <= x)
                low = middle + 1;
            else
                high = middle;
        }

        registers[target] = low;
    }
}

internal sealed class RatioOp(int numerator, int denominator, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var below = registers[denominator];
        registers[target] = below == 0 ? double.NaN : registers[numerator] / below;
    }
}

internal sealed class DifferenceOp(int left, int right, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch) => registers[target] = registers[left] - registers[right];
}

internal sealed class CyclicNumberOp(int source, int sine, int cosine, double period) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch) => (registers[sine], registers[cosine]) = Math.SinCos(Math.Tau * (registers[source] / period));
}

internal sealed class CyclicTimeOp(int column, int sine, int cosine, TimeCycle cycle, int utcOffsetMinutes) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        var share = row.Valid[column] != 0 && Calendar.TryLocal(row.Lanes[column], utcOffsetMinutes, out var localUs) ? Calendar.Share(localUs, cycle) : double.NaN;
        (registers[sine], registers[cosine]) = Math.SinCos(Math.Tau * share);
    }
}

internal sealed class TimePartOp(int column, int target, TimePart part, int utcOffsetMinutes) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch) =>
        registers[target] = row.Valid[column] != 0 && Calendar.TryLocal(row.Lanes[column], utcOffsetMinutes, out var localUs) ? Calendar.Part(localUs, part) : double.NaN;
}

internal sealed class TimeDifferenceOp(int left, int right, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch) =>
        registers[target] = (row.Valid[left] & row.Valid[right]) == 0 ? double.NaN : (row.Lanes[left] - row.Lanes[right]) / (double)TimeGrid.MicrosPerSecond;
}
