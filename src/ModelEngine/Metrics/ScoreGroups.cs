namespace StreamMl.ModelEngine.Metrics;

/// <summary>
/// Rows grouped by equal score, the highest score first, with the weight of positives and of negatives in each: what every metric of a ranking is computed from,
/// so that all treat ties alike. Immutable; thread-safe.
/// </summary>
public sealed class ScoreGroups
{
    private ScoreGroups(double[] scores, double[] positives, double[] negatives)
    {
        Scores = scores;
        Positives = positives;
        Negatives = negatives;
        TotalPositives = positives.Sum();
        TotalNegatives = negatives.Sum();
    }

    /// <summary>The distinct scores, descending.</summary>
    public IReadOnlyList<double> Scores { get; }

    /// <summary>Weight of the positive rows with that score.</summary>
    public IReadOnlyList<double> Positives { get; }

    /// <summary>Weight of the negative rows with that score.</summary>
    public IReadOnlyList<double> Negatives { get; }

    public double TotalPositives { get; }

    public double TotalNegatives { get; }

    /// <param name="weights">One per row, not negative; empty: all 1. Rows of weight 0 do not count.</param>
    /// <exception cref="ArgumentException">A score is NaN, a weight negative, or the lengths differ.</exception>
    public static ScoreGroups Of(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default)
    {
        Rows.Check(scores, labels.Length, weights);
        var sorted = scores.ToArray();
        var order = new int[scores.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(sorted, order);
        var groups = 0;
        var (distinct, positives, negatives) = (new double[sorted.Length], new double[sorted.Length], new double[sorted.Length]);
        for (var i = sorted.Length - 1; i >= 0; i--)
        {
            var weight = weights.IsEmpty ? 1 : weights[order[i]];
            if (weight == 0)
                continue;
            if (groups == 0 || distinct[groups - 1] != sorted[i])
                distinct[groups++] = sorted[i];
            if (labels[order[i]])
                positives[groups - 1] += weight;
            else
                negatives[groups - 1] += weight;
        }

        return new ScoreGroups(distinct[..groups], positives[..groups], negatives[..groups]);
    }
}

/// <summary>What the rows given to a metric must be like.</summary>
internal static class Rows
{
    public static void Check(ReadOnlySpan<double> scores, int labels, ReadOnlySpan<double> weights)
    {
        if (scores.Length != labels)
            throw new ArgumentException($"there are {scores.Length} scores and {labels} labels: give one of each per row", nameof(labels));
        if (!weights.IsEmpty && weights.Length != labels)
            throw new ArgumentException($"there are {weights.Length} weights and {labels} labels: give one of each per row, or no weights", nameof(weights));
        for (var i = 0; i < scores.Length; i++)
        {
            if (double.IsNaN(scores[i]))
                throw new ArgumentException($"the score of row {i} is NaN: a row that could not be scored has no place in a metric", nameof(scores));
        }

        for (var i = 0; i < weights.Length; i++)
        {
            if (!(weights[i] >= 0) || double.IsInfinity(weights[i]))
                throw new ArgumentException($"the weight of row {i} is {weights[i]}: it must be finite and not negative", nameof(weights));
        }
    }

    public static double Weight(ReadOnlySpan<double> weights, int row) => weights.IsEmpty ? 1 : weights[row];
}
