using CsCheck;

namespace StreamMl.ModelEngine.Tests.Metrics;

/// <summary>Rows for metrics: scores on a coarse grid, so that ties are common, and weights of which some are 0.</summary>
internal sealed record ScoredRows(double[] Scores, bool[] Labels, double[] Weights)
{
    public static readonly Gen<ScoredRows> Any =
        Gen.Select(Gen.Int[0, 10].Select(s => s / 10.0), Gen.Bool, Gen.Int[0, 3].Select(w => (double)w)).Array[2, 40]
            .Select(rows => new ScoredRows([.. rows.Select(r => r.Item1)], [.. rows.Select(r => r.Item2)], [.. rows.Select(r => r.Item3)]))
            .Where(r => r.WeightOf(true) > 0 && r.WeightOf(false) > 0);

    public static readonly Gen<ScoredRows> Unweighted = Any.Select(r => r with { Weights = [.. r.Scores.Select(_ => 1.0)] });

    public int Count => Scores.Length;

    public double WeightOf(bool label) => Labels.Zip(Weights).Where(r => r.First == label).Sum(r => r.Second);
}

/// <summary>The metrics as their definitions say, in whatever time that takes.</summary>
internal static class NaiveMetrics
{
    public static double RocAuc(ScoredRows rows)
    {
        double won = 0, pairs = 0;
        for (var p = 0; p < rows.Count; p++)
        {
            for (var n = 0; n < rows.Count; n++)
            {
                if (!rows.Labels[p] || rows.Labels[n])
                    continue;
                var weight = rows.Weights[p] * rows.Weights[n];
                won += weight * (rows.Scores[p] > rows.Scores[n] ? 1 : rows.Scores[p] == rows.Scores[n] ? 0.5 : 0);
                pairs += weight;
            }
        }

        return won / pairs;
    }

    public static double AveragePrecision(ScoredRows rows)
    {
        double sum = 0, recallBefore = 0;
        foreach (var threshold in rows.Scores.Distinct().OrderDescending())
        {
            var found = Enumerable.Range(0, rows.Count).Where(i => rows.Scores[i] >= threshold).ToList();
            var (right, all) = (found.Where(i => rows.Labels[i]).Sum(i => rows.Weights[i]), found.Sum(i => rows.Weights[i]));
            var recall = right / rows.WeightOf(true);
            sum += all == 0 ? 0 : (recall - recallBefore) * right / all;
            recallBefore = recall;
        }

        return sum;
    }

    /// <summary>DeLong's variance of the AUC from the matrix of all pairs.</summary>
    public static double DeLongVariance(ScoredRows rows)
    {
        var positives = Enumerable.Range(0, rows.Count).Where(i => rows.Labels[i]).Select(i => rows.Scores[i]).ToList();
        var negatives = Enumerable.Range(0, rows.Count).Where(i => !rows.Labels[i]).Select(i => rows.Scores[i]).ToList();
        static double Psi(double p, double n) => p > n ? 1 : p == n ? 0.5 : 0;
        static double Variance(List<double> values) => values.Sum(v => (v - values.Average()) * (v - values.Average())) / (values.Count - 1);
        return (Variance([.. positives.Select(p => negatives.Average(n => Psi(p, n)))]) / positives.Count) +
            (Variance([.. negatives.Select(n => positives.Average(p => Psi(p, n)))]) / negatives.Count);
    }
}
