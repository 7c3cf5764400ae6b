using StreamMl.ModelEngine.Sampling;

namespace StreamMl.ModelEngine.Metrics;

/// <summary>Confidence intervals of any metric by resampling rows (B. Efron, "Bootstrap methods: another look at the jackknife", 1979). Pure; thread-safe.</summary>
public static class Bootstrap
{
    /// <summary>
    /// Percentile interval of a metric over <paramref name="replicates"/> resamples. A resample is given to the metric as weights: how often each row was drawn.
    /// Replicates in which the metric is NaN (a class that was not drawn) are left out.
    /// </summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="metric">From one weight per row to the value. The array is reused: the metric must not keep it.</param>
    /// <param name="weights">The rows' own weights, multiplied into the resample's; empty: all 1.</param>
    /// <param name="clusters">
    /// Cluster of every row from 0, drawn whole, where rows of one entity are alike (A. C. Davison and D. V. Hinkley 1997, 3.8); empty: each row by itself.
    /// </param>
    /// <param name="level">Between 0 and 1.</param>
    public static Interval Percentile(
        int rows, Func<double[], double> metric, ReadOnlySpan<double> weights = default, ReadOnlySpan<int> clusters = default, int replicates = 500, double level = 0.95, long seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicates, 10);
        if (!(level > 0 && level < 1))
            throw new ArgumentOutOfRangeException(nameof(level), level, "the level must be between 0 and 1, both excluded");
        var units = clusters.IsEmpty ? rows : Count(clusters);
        var (draws, resampled) = (new int[units], new double[rows]);
        Fill(resampled, weights, clusters, null);
        var value = metric(resampled);
        var random = new SeededRandom(seed);
        var values = new List<double>(replicates);
        for (var r = 0; r < replicates; r++)
        {
            Array.Clear(draws);
            for (var i = 0; i < units; i++)
                draws[random.Next(units)]++;
            Fill(resampled, weights, clusters, draws);
            if (metric(resampled) is var replicate && !double.IsNaN(replicate))
                values.Add(replicate);
        }

        values.Sort();
        return values.Count == 0 ? new Interval(value, double.NaN, double.NaN, level) : new Interval(value, Quantiles.Of(values, (1 - level) / 2), Quantiles.Of(values, (1 + level) / 2), level);
    }

    /// <summary>The interval of the ROC-AUC; the rows are sorted once, not once per resample. For rows without weights and clusters, DeLong's is as good and faster.</summary>
    public static Interval RocAuc(
        ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default, ReadOnlySpan<int> clusters = default, int replicates = 500, double level = 0.95, long seed = 0) =>
        Percentile(scores.Length, new RankedRows(scores, labels).RocAuc, weights, clusters, replicates, level, seed);

    private static void Fill(double[] resampled, ReadOnlySpan<double> weights, ReadOnlySpan<int> clusters, int[]? draws)
    {
        for (var i = 0; i < resampled.Length; i++)
        {
            var times = draws is null ? 1 : draws[clusters.IsEmpty ? i : clusters[i]];
            resampled[i] = times * Rows.Weight(weights, i);
        }
    }

    private static int Count(ReadOnlySpan<int> clusters)
    {
        var most = -1;
        foreach (var cluster in clusters)
            most = Math.Max(most, cluster);
        return most + 1;
    }
}
