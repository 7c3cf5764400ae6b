using StreamMl.ModelEngine.Calibration;

namespace StreamMl.ModelEngine.Sampling;

/// <summary>Rows of the training part after over- or under-sampling, and what makes the model's probabilities right again.</summary>
/// <param name="Rows">Row indices, ascending; an oversampled row stands as often as it counts.</param>
/// <param name="TrainingRate">Share of positives among them.</param>
/// <param name="TrueRate">Share of positives among all rows.</param>
/// <param name="Correction">To be applied to the model's probabilities first.</param>
public sealed record Resample(int[] Rows, double TrainingRate, double TrueRate, PriorShiftCalibrator Correction);

/// <summary>
/// Over- and under-sampling of a binary label, of the training part alone and after the split: copies of a row on both sides of it would be a leak. Pure;
/// thread-safe; decided by the seed.
/// </summary>
public static class Resampling
{
    /// <summary>Leaves out rows of the more frequent class until positives are <paramref name="rate"/> of what is left.</summary>
    /// <param name="rate">Wanted share of positives, between 0 and 1.</param>
    /// <exception cref="ArgumentException">One class only.</exception>
    public static Resample UnderSample(ReadOnlySpan<bool> labels, double rate, long seed)
    {
        var (positives, negatives) = Parts(labels, rate);
        // Rows of the class that is too frequent, so that the other, kept whole, has its share.
        var (cut, kept) = IsAbove(positives, negatives, rate) ? (positives, negatives) : (negatives, positives);
        var wanted = cut == negatives ? kept.Count * (1 - rate) / rate : kept.Count * rate / (1 - rate);
        var size = Math.Clamp((int)Math.Round(wanted, MidpointRounding.AwayFromZero), 1, cut.Count);
        return Of([.. kept, .. Samples.Random(cut.Count, size, seed).Select(i => cut[i])], labels, positives.Count);
    }

    /// <summary>Repeats rows of the less frequent class until positives are <paramref name="rate"/> of all: each as often as the others, give or take one.</summary>
    /// <param name="rate">Wanted share of positives, between 0 and 1.</param>
    /// <exception cref="ArgumentException">One class only.</exception>
    public static Resample OverSample(ReadOnlySpan<bool> labels, double rate, long seed)
    {
        var (positives, negatives) = Parts(labels, rate);
        var (repeated, kept) = IsAbove(positives, negatives, rate) ? (negatives, positives) : (positives, negatives);
        var wanted = repeated == negatives ? kept.Count * (1 - rate) / rate : kept.Count * rate / (1 - rate);
        var size = Math.Max(repeated.Count, checked((int)Math.Round(wanted, MidpointRounding.AwayFromZero)));
        var (times, left) = Math.DivRem(size, repeated.Count);
        List<int> rows = [.. kept, .. Samples.Random(repeated.Count, left, seed).Select(i => repeated[i])];
        for (var t = 0; t < times; t++)
            rows.AddRange(repeated);
        return Of(rows, labels, positives.Count);
    }

    private static bool IsAbove(List<int> positives, List<int> negatives, double rate) => positives.Count > rate * (positives.Count + negatives.Count);

    private static Resample Of(List<int> rows, ReadOnlySpan<bool> labels, int positives)
    {
        rows.Sort();
        var kept = 0;
        foreach (var row in rows)
            kept += labels[row] ? 1 : 0;
        var (trainingRate, trueRate) = ((double)kept / rows.Count, (double)positives / labels.Length);
        return new Resample([.. rows], trainingRate, trueRate, new PriorShiftCalibrator(trainingRate, trueRate));
    }

    private static (List<int> Positives, List<int> Negatives) Parts(ReadOnlySpan<bool> labels, double rate)
    {
        if (!(rate > 0 && rate < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "the wanted share of positives must be between 0 and 1, both excluded");
        List<int> positives = [], negatives = [];
        for (var i = 0; i < labels.Length; i++)
            (labels[i] ? positives : negatives).Add(i);
        return positives.Count > 0 && negatives.Count > 0
            ? (positives, negatives)
            : throw new ArgumentException($"there are {positives.Count} positive and {negatives.Count} negative rows: sampling needs both", nameof(labels));
    }
}
