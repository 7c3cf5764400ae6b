using StreamMl.ModelEngine.Scoring;

namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// Counts the weight of training rows in every leaf, which explanations need and trainers do not tell. Give it every training vector once, then take <see cref="Apply"/>.
/// Not thread-safe.
/// </summary>
public sealed class LeafWeightCounter(Predictor predictor)
{
    private readonly TreeEnsemble[] ensembles = [.. predictor.Ensembles];
    private readonly double[][][] weights = [.. predictor.Ensembles.Select(e => e.Trees.Select(t => new double[t.LeafValues.Count]).ToArray())];

    /// <param name="slots">The vector of a training row.</param>
    /// <param name="weight">The row's weight; 1 where rows have none.</param>
    public void Add(ReadOnlySpan<float> slots, double weight = 1)
    {
        for (var e = 0; e < ensembles.Length; e++)
        {
            var trees = ensembles[e].Trees;
            for (var t = 0; t < trees.Count; t++)
                weights[e][t][trees[t].LeafOf(slots)] += weight;
        }
    }

    /// <summary>The predictor with the weights so far in its leaves.</summary>
    public Predictor Apply() => predictor.WithEnsembles(new Queue<TreeEnsemble>(ensembles.Select((ensemble, e) =>
        ensemble with { Trees = [.. ensemble.Trees.Select((tree, t) => tree with { LeafWeights = [.. weights[e][t]] })] })));
}
