using System.Text.Json.Serialization;

namespace StreamMl.ModelEngine.Metrics;

/// <summary>Weight of rows by label and decision. Ratios whose denominator is nothing are 0, as in scikit-learn.</summary>
public sealed record ConfusionMatrix(double TruePositives, double FalsePositives, double TrueNegatives, double FalseNegatives)
{
    [JsonIgnore]
    public double Total => TruePositives + FalsePositives + TrueNegatives + FalseNegatives;

    /// <summary>Share of the positive decisions that are right.</summary>
    public double Precision => Ratio(TruePositives, TruePositives + FalsePositives);

    /// <summary>Share of the positives that are found.</summary>
    public double Recall => Ratio(TruePositives, TruePositives + FalseNegatives);

    /// <summary>Share of the negatives that are left alone.</summary>
    public double Specificity => Ratio(TrueNegatives, TrueNegatives + FalsePositives);

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => Ratio(2 * TruePositives, (2 * TruePositives) + FalsePositives + FalseNegatives);

    public double Accuracy => Ratio(TruePositives + TrueNegatives, Total);

    /// <summary>Counts the decision "positive from <paramref name="threshold"/> on".</summary>
    public static ConfusionMatrix At(double threshold, ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default)
    {
        Rows.Check(scores, labels.Length, weights);
        double truePositives = 0, falsePositives = 0, trueNegatives = 0, falseNegatives = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            var weight = Rows.Weight(weights, i);
            if (scores[i] >= threshold)
                _ = labels[i] ? truePositives += weight : falsePositives += weight;
            else
                _ = labels[i] ? falseNegatives += weight : trueNegatives += weight;
        }

        return new ConfusionMatrix(truePositives, falsePositives, trueNegatives, falseNegatives);
    }

    private static double Ratio(double part, double whole) => whole == 0 ? 0 : part / whole;
}

/// <summary>What each decision costs, in any one unit; a gain is a negative cost. The default counts errors.</summary>
public sealed record CostMatrix(double TruePositive = 0, double FalsePositive = 1, double TrueNegative = 0, double FalseNegative = 1)
{
    /// <summary>Mean cost per row (per unit of weight).</summary>
    public double Of(ConfusionMatrix matrix) =>
        ((matrix.TruePositives * TruePositive) + (matrix.FalsePositives * FalsePositive) + (matrix.TrueNegatives * TrueNegative) + (matrix.FalseNegatives * FalseNegative)) / matrix.Total;

    /// <summary>
    /// The threshold that is best for calibrated probabilities, whatever the data: (fp - tn) / (fp - tn + fn - tp) (C. Elkan, "The foundations of cost-sensitive
    /// learning", 2001). NaN where one decision is never worse than the other.
    /// </summary>
    [JsonIgnore]
    public double OptimalThreshold
    {
        get
        {
            var (false1, false0) = (FalsePositive - TrueNegative, FalseNegative - TruePositive);
            return false1 > 0 && false0 > 0 ? false1 / (false1 + false0) : double.NaN;
        }
    }
}
