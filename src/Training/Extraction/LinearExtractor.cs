using Microsoft.ML.Data;
using StreamMl.ModelEngine.Scoring;

namespace StreamMl.Training.Extraction;

/// <summary>Takes linear functions out of ML.NET's models (SDCA, L-BFGS). ML.NET adds in floats and we in doubles: scores agree to a float's precision.</summary>
internal static class LinearExtractor
{
    public static LinearFunction Extract(IEnumerable<float> weights, double bias, FeatureLayout layout, double scale, double offset, double[] gains)
    {
        if (layout.CategoricalRanges.Count > 0)
            throw new NotSupportedException($"a linear model was trained on indicators of '{layout.Slots.First(s => s.IsCategorical).Name}': give such slots a step `one_hot` or `target_encode`, and train with FeatureLayout.Plain");
        var kept = weights.Select((weight, slot) => (Weight: (double)weight, Slot: slot)).Where(w => w.Weight != 0).ToArray();
        foreach (var (weight, slot) in kept)
            gains[slot] += Math.Abs(weight);
        return new LinearFunction((scale * bias) + offset, [.. kept.Select(w => w.Slot)], [.. kept.Select(w => scale * w.Weight)], []);
    }

    public static IEnumerable<float> Dense(VBuffer<float> weights) => weights.DenseValues();
}
