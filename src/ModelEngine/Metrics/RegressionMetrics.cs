namespace StreamMl.ModelEngine.Metrics;

/// <summary>How far estimates are from what came true, in the label's unit. Pure; thread-safe. All are NaN without rows.</summary>
public static class RegressionMetrics
{
    /// <summary>Mean absolute error.</summary>
    public static double MeanAbsoluteError(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, ReadOnlySpan<double> weights = default) =>
        Mean(estimates, labels, weights, static (e, y) => Math.Abs(e - y));

    /// <summary>Root of the mean squared error.</summary>
    public static double RootMeanSquaredError(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, ReadOnlySpan<double> weights = default) =>
        Math.Sqrt(Mean(estimates, labels, weights, static (e, y) => (e - y) * (e - y)));

    /// <summary>Mean of estimate - label: whether it says too much or too little.</summary>
    public static double Bias(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, ReadOnlySpan<double> weights = default) =>
        Mean(estimates, labels, weights, static (e, y) => e - y);

    /// <summary>Coefficient of determination: 1 - squared errors / squared distances of the labels from their mean. NaN where all labels are equal.</summary>
    public static double RSquared(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, ReadOnlySpan<double> weights = default)
    {
        var mean = Mean(labels, labels, weights, static (e, _) => e);
        var errors = Mean(estimates, labels, weights, static (e, y) => (e - y) * (e - y));
        double spread = 0, total = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            spread += Rows.Weight(weights, i) * (labels[i] - mean) * (labels[i] - mean);
            total += Rows.Weight(weights, i);
        }

        return spread == 0 ? double.NaN : 1 - (errors / (spread / total));
    }

    /// <summary>Mean of |estimate - label| / |label| over the rows whose label is not 0, as a share (0.1 is 10%).</summary>
    public static double MeanAbsolutePercentageError(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, ReadOnlySpan<double> weights = default)
    {
        Rows.Check(estimates, labels.Length, weights);
        double sum = 0, total = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == 0)
                continue;
            sum += Rows.Weight(weights, i) * Math.Abs((estimates[i] - labels[i]) / labels[i]);
            total += Rows.Weight(weights, i);
        }

        return sum / total;
    }

    /// <summary>Mean quantile (pinball) loss: q * (y - e) where the estimate is too low, (1 - q) * (e - y) where it is too high (Koenker and Bassett 1978).</summary>
    /// <param name="quantile">Between 0 and 1, both excluded.</param>
    public static double QuantileLoss(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, double quantile, ReadOnlySpan<double> weights = default)
    {
        if (!(quantile > 0 && quantile < 1))
            throw new ArgumentOutOfRangeException(nameof(quantile), quantile, "the quantile must be between 0 and 1, both excluded");
        return Mean(estimates, labels, weights, (e, y) => y >= e ? quantile * (y - e) : (1 - quantile) * (e - y));
    }

    private static double Mean(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, ReadOnlySpan<double> weights, Func<double, double, double> loss)
    {
        Rows.Check(estimates, labels.Length, weights);
        double sum = 0, total = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            sum += Rows.Weight(weights, i) * loss(estimates[i], labels[i]);
            total += Rows.Weight(weights, i);
        }

        return sum / total;
    }
}
