namespace StreamMl.ModelEngine.Metrics;

/// <summary>Rows sorted by score once, for metrics that are computed under many weights: a resample costs one walk and no sort. Immutable; thread-safe.</summary>
internal sealed class RankedRows
{
    private readonly int[] order;
    private readonly bool[] isPositive;
    private readonly bool[] endsTie;

    public RankedRows(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
    {
        Rows.Check(scores, labels.Length, default);
        var sorted = scores.ToArray();
        order = new int[sorted.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(sorted, order);
        (isPositive, endsTie) = (new bool[order.Length], new bool[order.Length]);
        for (var i = 0; i < order.Length; i++)
            (isPositive[i], endsTie[i]) = (labels[order[i]], i + 1 == order.Length || sorted[i + 1] != sorted[i]);
    }

    /// <summary>ROC-AUC under these weights, as <see cref="RankingMetrics.RocAuc(ScoreGroups)"/>; NaN where a class has no weight.</summary>
    public double RocAuc(double[] weights)
    {
        double negatives = 0, positives = 0, area = 0, tiedNegatives = 0, tiedPositives = 0;
        for (var i = 0; i < order.Length; i++)
        {
            var weight = weights[order[i]];
            if (isPositive[i])
                tiedPositives += weight;
            else
                tiedNegatives += weight;
            if (!endsTie[i])
                continue;
            area += tiedPositives * (negatives + (tiedNegatives / 2));
            negatives += tiedNegatives;
            positives += tiedPositives;
            (tiedNegatives, tiedPositives) = (0, 0);
        }

        return area / (positives * negatives);
    }
}
