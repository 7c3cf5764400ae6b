namespace StreamMl.ModelEngine.Metrics;

/// <summary>A binary model on some rows. Null where the rows do not tell: no rows, or one class only.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="Rate">Share of positives, weighted.</param>
/// <param name="Auc">ROC-AUC with its interval: DeLong's, or the bootstrap's where rows have weights.</param>
/// <param name="MeanScore">Mean probability, weighted: beside <paramref name="Rate"/> it shows whether the model says too much.</param>
/// <param name="Ece">Expected calibration error in 10 bins of equal width.</param>
/// <param name="EceEqualMass">The same in 10 bins of equal mass.</param>
public sealed record BinaryEvaluation(
    int Rows, double? Rate = null, double? MeanScore = null, Interval? Auc = null, double? AveragePrecision = null, double? LogLoss = null, double? Brier = null, double? Ece = null,
    double? EceEqualMass = null)
{
    private const int Replicates = 200;

    /// <param name="seed">Of the bootstrap; without weights nothing is drawn.</param>
    public static BinaryEvaluation Of(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default, double level = 0.95, long seed = 0)
    {
        var groups = ScoreGroups.Of(scores, labels, weights);
        var total = groups.TotalPositives + groups.TotalNegatives;
        double mean = 0;
        for (var i = 0; i < scores.Length; i++)
            mean += scores[i] * (weights.IsEmpty ? 1 : weights[i]) / total;
        return new BinaryEvaluation(
            scores.Length, Known(groups.TotalPositives / total), total > 0 ? mean : null, AucOf(scores, labels, weights, level, seed), Known(RankingMetrics.AveragePrecision(groups)),
            Known(ProbabilityMetrics.LogLoss(scores, labels, weights)), Known(ProbabilityMetrics.Brier(scores, labels, weights)),
            Known(ProbabilityMetrics.ExpectedCalibrationError(scores, labels, weights)),
            Known(ProbabilityMetrics.ExpectedCalibrationError(scores, labels, weights, kind: BinKind.EqualMass)));
    }

    private static Interval? AucOf(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights, double level, long seed)
    {
        var interval = weights.IsEmpty ? DeLong.Auc(scores, labels, level) : Bootstrap.RocAuc(scores, labels, weights, default, Replicates, level, seed);
        return double.IsNaN(interval.Low) || double.IsNaN(interval.High) ? null : interval;
    }

    internal static double? Known(double value) => double.IsNaN(value) ? null : value;
}

/// <summary>A regression model on some rows. Null where the rows do not tell.</summary>
/// <param name="MedianLoss">Quantile loss at 0.5: half the mean absolute error.</param>
public sealed record RegressionEvaluation(
    int Rows, double? MeanAbsoluteError = null, double? RootMeanSquaredError = null, double? Bias = null, double? RSquared = null, double? MeanAbsolutePercentageError = null,
    double? MedianLoss = null)
{
    public static RegressionEvaluation Of(ReadOnlySpan<double> estimates, ReadOnlySpan<double> labels, ReadOnlySpan<double> weights = default) => new(
        labels.Length,
        BinaryEvaluation.Known(RegressionMetrics.MeanAbsoluteError(estimates, labels, weights)),
        BinaryEvaluation.Known(RegressionMetrics.RootMeanSquaredError(estimates, labels, weights)),
        BinaryEvaluation.Known(RegressionMetrics.Bias(estimates, labels, weights)),
        BinaryEvaluation.Known(RegressionMetrics.RSquared(estimates, labels, weights)),
        BinaryEvaluation.Known(RegressionMetrics.MeanAbsolutePercentageError(estimates, labels, weights)),
        BinaryEvaluation.Known(RegressionMetrics.QuantileLoss(estimates, labels, 0.5, weights)));
}

/// <summary>A model of more than two classes on some rows. Null where the rows do not tell.</summary>
/// <param name="ByClass">Each class against all others.</param>
public sealed record MulticlassEvaluation(
    int Rows, IReadOnlyList<ConfusionMatrix> ByClass, double? Accuracy = null, double? LogLoss = null, double? MacroF1 = null, double? MicroF1 = null, double? MacroAuc = null,
    double? MicroAuc = null)
{
    public static MulticlassEvaluation Of(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, int classes, ReadOnlySpan<double> weights = default)
    {
        var confusion = MulticlassMetrics.Confusion(scores, labels, classes, weights);
        var accuracy = BinaryEvaluation.Known(MulticlassMetrics.Accuracy(confusion));
        return new MulticlassEvaluation(
            labels.Length, [.. Enumerable.Range(0, classes).Select(c => MulticlassMetrics.OneAgainstRest(confusion, c))], accuracy, BinaryEvaluation.Known(MulticlassMetrics.LogLoss(scores, labels, classes, weights)), BinaryEvaluation.Known(MulticlassMetrics.MacroF1(confusion)), accuracy,
            BinaryEvaluation.Known(MulticlassMetrics.MacroAuc(scores, labels, classes, weights)), BinaryEvaluation.Known(MulticlassMetrics.MicroAuc(scores, labels, classes, weights)));
    }
}
