namespace StreamMl.ModelEngine.Calibration;

/// <summary>
/// The non-descending function nearest to the labels in squares, by pooling adjacent violators (Ayer et al. 1955; Zadrozny and Elkan 2002): a step per pool,
/// joined by straight lines from the last score of a pool to the first of the next; outside of the scores that were fitted on, the nearest value.
/// </summary>
public sealed record IsotonicCalibrator : Calibrator
{
    private readonly double[] scores;
    private readonly double[] values;

    /// <exception cref="ArgumentException">The points do not ascend, there are none, or a value is no probability.</exception>
    public IsotonicCalibrator(IReadOnlyList<double> scores, IReadOnlyList<double> values)
    {
        this.scores = [.. scores];
        this.values = [.. values];
        if (scores.Count == 0 || scores.Count != values.Count)
            throw new ArgumentException($"there are {scores.Count} scores and {values.Count} values: an isotonic calibrator has one of each per point, and a point at least", nameof(values));
        for (var i = 0; i < scores.Count; i++)
        {
            if (!(values[i] >= 0 && values[i] <= 1) || (i > 0 && !(scores[i - 1] < scores[i] && values[i - 1] <= values[i])))
                throw new ArgumentException($"point {i} ({scores[i]}, {values[i]}) does not ascend, or is no probability", nameof(values));
        }
    }

    /// <summary>Ascending, each once.</summary>
    public IReadOnlyList<double> Scores => scores;

    /// <summary>Probability at each of the scores, never descending.</summary>
    public IReadOnlyList<double> Values => values;

    public override double Apply(double score)
    {
        if (double.IsNaN(score))
            return score;
        var at = Array.BinarySearch(scores, score);
        if (at >= 0)
            return values[at];
        var above = ~at;
        if (above == 0)
            return values[0];
        if (above == scores.Length)
            return values[^1];
        var (x0, x1, y0, y1) = (scores[above - 1], scores[above], values[above - 1], values[above]);
        return y0 == y1 ? y0 : Math.Clamp(y0 + ((score - x0) / (x1 - x0) * (y1 - y0)), y0, y1);
    }

    public bool Equals(IsotonicCalibrator? other) => other is not null && scores.AsSpan().SequenceEqual(other.scores) && values.AsSpan().SequenceEqual(other.values);

    public override int GetHashCode() => HashCode.Combine(scores.Length, scores[0], values[^1]);

    /// <summary>Fits on held-out rows.</summary>
    /// <param name="weights">One per row; empty: all 1.</param>
    /// <exception cref="ArgumentException">No rows, one class only, or lengths that differ.</exception>
    public static IsotonicCalibrator Fit(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default)
    {
        CalibrationRows.Of(scores, labels, weights);
        var groups = Metrics.ScoreGroups.Of(scores, labels, weights);
        var pools = new Stack<Pool>();
        for (var g = groups.Scores.Count - 1; g >= 0; g--)
        {
            var pool = new Pool(groups.Scores[g], groups.Scores[g], groups.Positives[g], groups.Positives[g] + groups.Negatives[g]);
            while (pools.TryPeek(out var before) && before.Positives * pool.Weight >= pool.Positives * before.Weight)
            {
                pools.Pop();
                pool = new Pool(before.Low, pool.High, before.Positives + pool.Positives, before.Weight + pool.Weight);
            }

            pools.Push(pool);
        }

        return OfPools([.. pools.Reverse()]);
    }

    // Two points per pool, one where it is a single score. Rounding must not undo the order of neighbours.
    private static IsotonicCalibrator OfPools(Pool[] pools)
    {
        List<double> x = [], y = [];
        var last = 0.0;
        foreach (var pool in pools)
        {
            last = Math.Clamp(pool.Positives / pool.Weight, last, 1);
            x.Add(pool.Low);
            y.Add(last);
            if (pool.High > pool.Low)
            {
                x.Add(pool.High);
                y.Add(last);
            }
        }

        return new IsotonicCalibrator(x, y);
    }

    private readonly record struct Pool(double Low, double High, double Positives, double Weight);
}
