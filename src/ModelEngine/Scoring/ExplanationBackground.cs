using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>
/// Collects what explanations are measured against and trainers do not tell: the weight of training rows in every leaf, and the mean of every slot. Give it every
/// training vector once, then take <see cref="Apply"/>. Not thread-safe.
/// </summary>
public sealed class ExplanationBackground
{
    private readonly Predictor predictor;
    private readonly TreeEnsemble[] ensembles;
    private readonly VectorLayout layout;
    private readonly PlainKernel[] kernels;
    private readonly double[][] leafWeights;
    private readonly float[] vector;
    private readonly double[] means;
    private readonly double[] slotWeights;

    /// <param name="predictor">What was trained.</param>
    /// <param name="slots">The slots of the vectors.</param>
    public ExplanationBackground(Predictor predictor, IReadOnlyList<Slot> slots)
    {
        predictor.Check(slots);
        this.predictor = predictor;
        ensembles = [.. predictor.Ensembles];
        layout = new VectorLayout(ensembles, slots);
        kernels = [.. ensembles.Select(e => new PlainKernel(e, layout))];
        leafWeights = [.. ensembles.Select(e => new double[e.Trees.Sum(t => t.LeafValues.Count)])];
        vector = new float[layout.Length];
        means = new double[slots.Count];
        slotWeights = new double[slots.Count];
    }

    /// <param name="slots">The vector of a training row. Missing values do not count in a slot's mean.</param>
    /// <param name="weight">The row's weight, not negative; 1 where rows have none.</param>
    public void Add(ReadOnlySpan<float> slots, double weight = 1)
    {
        layout.Fill(slots, vector);
        for (var e = 0; e < kernels.Length; e++)
            kernels[e].AddWeight(vector, weight, leafWeights[e]);
        for (var s = 0; s < means.Length && weight > 0; s++)
        {
            if (!float.IsFinite(slots[s]))
                continue;
            slotWeights[s] += weight;
            means[s] += (slots[s] - means[s]) * weight / slotWeights[s];
        }
    }

    /// <summary>The predictor with what was collected so far. A slot that never had a value has the mean 0.</summary>
    public Predictor Apply() => predictor.WithBackground(new Queue<TreeEnsemble>(ensembles.Select(WithWeights)), means);

    private TreeEnsemble WithWeights(TreeEnsemble ensemble, int index)
    {
        var at = 0;
        return ensemble with { Trees = [.. ensemble.Trees.Select(t => t with { LeafWeights = leafWeights[index][at..(at += t.LeafValues.Count)] })] };
    }
}
