namespace StreamMl.ModelEngine.Metrics;

/// <summary>Two models' AUC on the same rows.</summary>
/// <param name="Difference">AUC of the first minus that of the second, with its interval.</param>
/// <param name="PValue">Two-sided, of no difference.</param>
public sealed record AucComparison(double First, double Second, Interval Difference, double PValue);

/// <summary>
/// Variance of the ROC-AUC without resampling: E. DeLong, D. DeLong, D. Clarke-Pearson (1988), in O(n log n) by midranks as X. Sun and W. Xu (2014). Rows count
/// alike (no weights) and are taken as independent. Pure; thread-safe.
/// </summary>
public static class DeLong
{
    /// <summary>The AUC with its normal interval, held within 0 and 1. NaN where a class has less than two rows.</summary>
    public static Interval Auc(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, double level = 0.95)
    {
        var places = Places.Of(scores, labels);
        var reach = Normal.Quantile((1 + level) / 2) * Math.Sqrt(Covariance(places, places));
        return new Interval(places.Auc, Math.Max(0, places.Auc - reach), Math.Min(1, places.Auc + reach), level);
    }

    /// <summary>Compares two models on the same rows, whose AUCs are correlated.</summary>
    public static AucComparison Compare(ReadOnlySpan<double> first, ReadOnlySpan<double> second, ReadOnlySpan<bool> labels, double level = 0.95)
    {
        var (a, b) = (Places.Of(first, labels), Places.Of(second, labels));
        var difference = a.Auc - b.Auc;
        var deviation = Math.Sqrt(Math.Max(0, Covariance(a, a) + Covariance(b, b) - (2 * Covariance(a, b))));
        var reach = Normal.Quantile((1 + level) / 2) * deviation;
        var p = difference == 0 ? 1 : 2 * Normal.Cdf(-Math.Abs(difference) / deviation);
        return new AucComparison(a.Auc, b.Auc, new Interval(difference, difference - reach, difference + reach, level), p);
    }

    private static double Covariance(Places a, Places b) => (Sample(a.Positives, b.Positives) / a.Positives.Length) + (Sample(a.Negatives, b.Negatives) / a.Negatives.Length);

    private static double Sample(double[] x, double[] y)
    {
        var (meanX, meanY) = (x.Sum() / x.Length, y.Sum() / y.Length);
        double sum = 0;
        for (var i = 0; i < x.Length; i++)
            sum += (x[i] - meanX) * (y[i] - meanY);
        return sum / (x.Length - 1);
    }

    /// <summary>Of each positive the share of negatives below it, of each negative the share of positives above it (ties half): the structural components.</summary>
    private sealed record Places(double[] Positives, double[] Negatives, double Auc)
    {
        public static Places Of(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
        {
            Rows.Check(scores, labels.Length, default);
            List<double> positive = [], negative = [];
            for (var i = 0; i < scores.Length; i++)
                (labels[i] ? positive : negative).Add(scores[i]);
            var (p, n) = (positive.Count, negative.Count);
            var all = MidRanks([.. positive, .. negative]);
            var (ownPositive, ownNegative) = (MidRanks([.. positive]), MidRanks([.. negative]));
            double[] above = [.. ownPositive.Select((rank, i) => (all[i] - rank) / n)];
            double[] below = [.. ownNegative.Select((rank, i) => 1 - ((all[p + i] - rank) / p))];
            return new Places(above, below, above.Sum() / p);
        }

        private static double[] MidRanks(double[] values)
        {
            var order = Enumerable.Range(0, values.Length).ToArray();
            var sorted = values.ToArray();
            Array.Sort(sorted, order);
            var ranks = new double[values.Length];
            for (int from = 0, to; from < sorted.Length; from = to)
            {
                for (to = from + 1; to < sorted.Length && sorted[to] == sorted[from];)
                    to++;
                for (var i = from; i < to; i++)
                    ranks[order[i]] = (from + to + 1) / 2.0;
            }

            return ranks;
        }
    }
}
