using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Sampling;

namespace StreamMl.ModelEngine.Steps;

/// <summary>Learns from the finite values of one number column.</summary>
internal abstract class NumberFitter(string column, string output) : StepFitter
{
    private int register;

    protected string Column => column;

    protected string Output => output;

    public override IReadOnlyList<string> Sources { get; } = [column];

    public override IReadOnlyList<PlannedOutput> Outputs => [new PlannedOutput(output)];

    public override void Bind(PipelineCompiler columns) => register = columns.Number(column);

    public override void Observe(in TrainingSample sample)
    {
        var value = sample.Registers[register];
        if (double.IsFinite(value))
            Observe(value, sample.Weight);
    }

    protected abstract void Observe(double value, double weight);
}

/// <summary>Weighted mean and deviation in one pass (D. West, "Updating mean and variance estimates", 1979).</summary>
internal sealed class MomentsFitter(string column, string output, Func<double?, double, FittedStep> finish) : NumberFitter(column, output)
{
    private double total, mean, squares;

    /// <summary>What else the step gives beside its output.</summary>
    public PlannedOutput? Second { get; init; }

    public override IReadOnlyList<PlannedOutput> Outputs => Second is null ? base.Outputs : [.. base.Outputs, Second];

    // Without a value there is no mean.
    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training) => finish(total > 0 ? mean : null, total > 0 ? Math.Sqrt(squares / total) : 0);

    protected override void Observe(double value, double weight)
    {
        if (weight == 0)
            return;
        total += weight;
        var distance = value - mean;
        mean += distance * (weight / total);
        squares += weight * distance * (value - mean);
    }
}

/// <summary>Least and greatest value; (0, 0) without any.</summary>
internal sealed class RangeFitter(string column, string output, Func<double, double, FittedStep> finish) : NumberFitter(column, output)
{
    private double least = double.PositiveInfinity, greatest = double.NegativeInfinity;

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training) => least <= greatest ? finish(least, greatest) : finish(0, 0);

    protected override void Observe(double value, double weight) => (least, greatest) = (Math.Min(least, value), Math.Max(greatest, value));
}

/// <summary>Quantiles: of all values up to a bound, of a uniform sample beyond it. The finish gets the kept values in ascending order.</summary>
internal sealed class QuantileFitter(string column, string output, long seed, Func<List<double>, FittedStep> finish) : NumberFitter(column, output)
{
    /// <summary>Values up to which quantiles are exact; a sample of so many is off by 0.2% of the rows at most, in 9 of 10 cases.</summary>
    public const int ExactValues = 200_000;

    private readonly Reservoir<double> values = new(ExactValues, seed);

    /// <summary>What else the step gives beside its output.</summary>
    public PlannedOutput? Second { get; init; }

    public override IReadOnlyList<PlannedOutput> Outputs => Second is null ? base.Outputs : [.. base.Outputs, Second];

    public override FittedStep Finish(IDictionary<FittedStep, OutOfFoldTable> training)
    {
        List<double> sorted = [.. values.Kept];
        sorted.Sort();
        return finish(sorted);
    }

    protected override void Observe(double value, double weight) => values.Add(value);
}

/// <summary>What steps learn from sorted values.</summary>
internal static class SortedValues
{
    public static double? Quantile(List<double> sorted, double share) => sorted.Count == 0 ? null : Quantiles.Of(sorted, share);

    public static RobustStep Robust(List<double> sorted, string column, string output, double low, double high)
    {
        if (sorted.Count == 0)
            return new RobustStep(column, output, 0, 1);
        var range = Quantiles.Of(sorted, high) - Quantiles.Of(sorted, low);
        return new RobustStep(column, output, Quantiles.Of(sorted, 0.5), range > 0 ? range : 1);
    }

    /// <summary>Bounds of bins of equal mass; a value that fills several bins makes them one.</summary>
    public static DiscretizeStep EqualMass(List<double> sorted, string column, string output, int bins)
    {
        List<double> bounds = [];
        for (var b = 1; b < bins && sorted.Count > 0; b++)
        {
            var bound = Quantiles.Of(sorted, (double)b / bins);
            // A bound at the least value would leave the first bin empty.
            if (bound > (bounds.Count == 0 ? sorted[0] : bounds[^1]))
                bounds.Add(bound);
        }

        return new DiscretizeStep(column, output, bounds);
    }

    public static DiscretizeStep EqualWidth(double least, double greatest, string column, string output, int bins)
    {
        List<double> bounds = [];
        for (var b = 1; b < bins; b++)
        {
            var bound = least + ((greatest - least) * b / bins);
            if (bound > (bounds.Count == 0 ? least : bounds[^1]))
                bounds.Add(bound);
        }

        return new DiscretizeStep(column, output, bounds);
    }
}
