namespace StreamMl.ModelEngine.Metrics;

/// <summary>How probabilities are put into bins.</summary>
public enum BinKind
{
    /// <summary>Equal parts of [0, 1].</summary>
    EqualWidth,

    /// <summary>About the same weight of rows in each; rows with one score are never parted.</summary>
    EqualMass,
}

/// <summary>A point of the calibration curve.</summary>
/// <param name="Low">Least probability of the bin: its edge (equal width), or the least one in it (equal mass).</param>
/// <param name="High">Greatest probability of the bin, likewise.</param>
/// <param name="Weight">Weight of its rows.</param>
/// <param name="MeanScore">Mean probability of its rows.</param>
/// <param name="Rate">Share of positives in it.</param>
public readonly record struct CalibrationBin(double Low, double High, double Weight, double MeanScore, double Rate);

/// <summary>How far probabilities are from what came true. Pure; thread-safe. All are NaN without rows.</summary>
public static class ProbabilityMetrics
{
    /// <summary>Probabilities are held this far from 0 and 1, so that one sure error does not make the loss infinite.</summary>
    public const double Smallest = 1e-15;

    /// <summary>Mean of -ln(probability given to what happened), natural logarithm.</summary>
    public static double LogLoss(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default)
    {
        Rows.Check(scores, labels.Length, weights);
        double sum = 0, total = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            var p = Math.Clamp(scores[i], Smallest, 1 - Smallest);
            sum -= Rows.Weight(weights, i) * (labels[i] ? Math.Log(p) : Math.Log(1 - p));
            total += Rows.Weight(weights, i);
        }

        return sum / total;
    }

    /// <summary>Mean squared distance between probability and label (G. W. Brier 1950, for two classes: from 0 to 1).</summary>
    public static double Brier(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default)
    {
        Rows.Check(scores, labels.Length, weights);
        double sum = 0, total = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            var error = scores[i] - (labels[i] ? 1 : 0);
            sum += Rows.Weight(weights, i) * error * error;
            total += Rows.Weight(weights, i);
        }

        return sum / total;
    }

    /// <summary>The calibration curve; bins without rows are left out.</summary>
    /// <exception cref="ArgumentException">A score is not within 0 and 1.</exception>
    public static IReadOnlyList<CalibrationBin> CalibrationCurve(
        ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default, int bins = 10, BinKind kind = BinKind.EqualWidth)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bins);
        var groups = ScoreGroups.Of(scores, labels, weights);
        if (groups.Scores.Count > 0 && (groups.Scores[0] > 1 || groups.Scores[^1] < 0))
            throw new ArgumentException($"scores reach from {groups.Scores[^1]} to {groups.Scores[0]}: calibration is of probabilities, from 0 to 1", nameof(scores));
        var total = groups.TotalPositives + groups.TotalNegatives;
        var curve = new List<CalibrationBin>(bins);
        var open = new OpenBin();
        var before = 0.0;
        for (var g = groups.Scores.Count - 1; g >= 0; g--)
        {
            var (score, weight) = (groups.Scores[g], groups.Positives[g] + groups.Negatives[g]);
            // A group belongs to the bin in which its middle lies, counted by weight or by value.
            var bin = Math.Min(bins - 1, (int)(kind == BinKind.EqualWidth ? score * bins : (before + (weight / 2)) / total * bins));
            if (bin != open.Index)
                open.Close(curve);
            open.Add(bin, score, weight, groups.Positives[g]);
            before += weight;
        }

        open.Close(curve);
        return kind == BinKind.EqualMass ? curve : [.. curve.Select(b => WithEdges(b, bins))];
    }

    /// <summary>
    /// Expected calibration error: the weighted mean over the bins of |mean probability - share of positives| (Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017).
    /// </summary>
    public static double ExpectedCalibrationError(
        ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default, int bins = 10, BinKind kind = BinKind.EqualWidth) =>
        ExpectedCalibrationError(CalibrationCurve(scores, labels, weights, bins, kind));

    public static double ExpectedCalibrationError(IReadOnlyList<CalibrationBin> curve) => curve.Sum(b => b.Weight * Math.Abs(b.MeanScore - b.Rate)) / curve.Sum(b => b.Weight);

    private static CalibrationBin WithEdges(CalibrationBin bin, int bins)
    {
        var index = Math.Min(bins - 1, (int)(bin.Low * bins));
        return bin with { Low = (double)index / bins, High = (index + 1.0) / bins };
    }

    private struct OpenBin()
    {
        private double low, high, weight, scores, positives;

        public int Index { get; private set; } = -1;

        public void Add(int index, double score, double groupWeight, double groupPositives)
        {
            if (Index < 0)
                (Index, low, weight, scores, positives) = (index, score, 0, 0, 0);
            high = score;
            weight += groupWeight;
            scores += groupWeight * score;
            positives += groupPositives;
        }

        public void Close(List<CalibrationBin> curve)
        {
            if (Index >= 0)
                curve.Add(new CalibrationBin(low, high, weight, scores / weight, positives / weight));
            Index = -1;
        }
    }
}
