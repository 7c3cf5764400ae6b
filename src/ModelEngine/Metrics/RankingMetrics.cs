namespace StreamMl.ModelEngine.Metrics;

/// <summary>A point of a ROC or precision-recall curve: what predicting positive from <paramref name="Threshold"/> on gives.</summary>
public readonly record struct CurvePoint(double Threshold, double X, double Y);

/// <summary>The rows between two shares of the ranking.</summary>
/// <param name="Share">Upper end of the bin as a share of all weight, from the highest score on: 0.1 for the first of ten.</param>
/// <param name="Rate">Share of positives in the bin.</param>
/// <param name="Lift">That rate over the rate of all rows.</param>
/// <param name="CumulativeLift">The same of all rows up to the bin's end.</param>
/// <param name="CumulativeRecall">Share of all positives up to the bin's end.</param>
public readonly record struct LiftBin(double Share, double Rate, double Lift, double CumulativeLift, double CumulativeRecall);

/// <summary>How well scores put positives before negatives. Pure; thread-safe. All are NaN where one of the classes has no weight.</summary>
public static class RankingMetrics
{
    /// <summary>Area under the ROC curve: the probability that a positive scores higher than a negative, a tie counting half (Hanley and McNeil 1982).</summary>
    public static double RocAuc(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default) => RocAuc(ScoreGroups.Of(scores, labels, weights));

    public static double RocAuc(ScoreGroups groups)
    {
        double above = 0, area = 0;
        for (var g = 0; g < groups.Scores.Count; g++)
        {
            area += groups.Negatives[g] * (above + (groups.Positives[g] / 2));
            above += groups.Positives[g];
        }

        return area / (groups.TotalPositives * groups.TotalNegatives);
    }

    /// <summary>
    /// Area under the precision-recall curve as average precision: the sum over thresholds of (recall - recall before) * precision, without interpolation
    /// (Manning, Raghavan, Schuetze, "Introduction to Information Retrieval", 8.4). Tied rows are taken together.
    /// </summary>
    public static double AveragePrecision(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default) =>
        AveragePrecision(ScoreGroups.Of(scores, labels, weights));

    public static double AveragePrecision(ScoreGroups groups)
    {
        if (groups.TotalNegatives == 0)
            return double.NaN;
        double positives = 0, all = 0, sum = 0;
        for (var g = 0; g < groups.Scores.Count; g++)
        {
            positives += groups.Positives[g];
            all += groups.Positives[g] + groups.Negatives[g];
            sum += groups.Positives[g] * (positives / all);
        }

        return sum / groups.TotalPositives;
    }

    /// <summary>Points (false positive rate, true positive rate) from (0, 0) to (1, 1), one per distinct score.</summary>
    public static IReadOnlyList<CurvePoint> RocCurve(ScoreGroups groups)
    {
        var points = new List<CurvePoint>(groups.Scores.Count + 1) { new(double.PositiveInfinity, 0, 0) };
        double positives = 0, negatives = 0;
        for (var g = 0; g < groups.Scores.Count; g++)
        {
            positives += groups.Positives[g];
            negatives += groups.Negatives[g];
            points.Add(new CurvePoint(groups.Scores[g], negatives / groups.TotalNegatives, positives / groups.TotalPositives));
        }

        return points;
    }

    /// <summary>Points (recall, precision), one per distinct score, recall ascending.</summary>
    public static IReadOnlyList<CurvePoint> PrecisionRecallCurve(ScoreGroups groups)
    {
        var points = new List<CurvePoint>(groups.Scores.Count);
        double positives = 0, all = 0;
        for (var g = 0; g < groups.Scores.Count; g++)
        {
            positives += groups.Positives[g];
            all += groups.Positives[g] + groups.Negatives[g];
            points.Add(new CurvePoint(groups.Scores[g], positives / groups.TotalPositives, positives / all));
        }

        return points;
    }

    /// <summary>The greatest distance between the scores' distributions of the two classes (Kolmogorov-Smirnov): max |true positive rate - false positive rate|.</summary>
    public static double KolmogorovSmirnov(ScoreGroups groups) =>
        groups.TotalPositives == 0 || groups.TotalNegatives == 0 ? double.NaN : RocCurve(groups).Max(p => Math.Abs(p.Y - p.X));

    /// <summary>Lift by bins of equal weight; rows of one score are spread over the bins that they touch.</summary>
    public static IReadOnlyList<LiftBin> Lift(ScoreGroups groups, int bins = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bins);
        var total = groups.TotalPositives + groups.TotalNegatives;
        var rate = groups.TotalPositives / total;
        var result = new LiftBin[bins];
        double before = 0;
        for (var b = 0; b < bins; b++)
        {
            var share = (b + 1.0) / bins;
            var positives = b == bins - 1 ? groups.TotalPositives : PositivesUpTo(groups, share * total);
            var binRate = (positives - before) / (total / bins);
            result[b] = new LiftBin(share, binRate, binRate / rate, positives / (share * total) / rate, positives / groups.TotalPositives);
            before = positives;
        }

        return result;
    }

    private static double PositivesUpTo(ScoreGroups groups, double weight)
    {
        double all = 0, positives = 0;
        for (var g = 0; g < groups.Scores.Count; g++)
        {
            var size = groups.Positives[g] + groups.Negatives[g];
            if (all + size >= weight)
                return positives + (groups.Positives[g] * (weight - all) / size);
            all += size;
            positives += groups.Positives[g];
        }

        return positives;
    }
}
