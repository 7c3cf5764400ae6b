using System.Text.Json.Serialization;

namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// A sum of trees: <c>bias + scale * (((leaf of tree 0) + leaf of tree 1) + ...)</c>, in doubles and in this order, so that every kernel gives the same bits.
/// Immutable; thread-safe.
/// </summary>
/// <param name="Bias">Added to the scaled sum.</param>
/// <param name="Scale">Factor of the sum: 1, a forest's 1/trees, or the slope of a trained sigmoid.</param>
/// <param name="Trees">The trees in order of training; at most 100,000.</param>
public sealed record TreeEnsemble(double Bias, double Scale, [property: JsonConverter(typeof(TreeLinesConverter))] IReadOnlyList<DecisionTree> Trees)
{
    public const int MaxTrees = 100_000;

    /// <summary>The ensemble's answer by the plain walk.</summary>
    public double Evaluate(ReadOnlySpan<float> slots)
    {
        var sum = 0.0;
        foreach (var tree in Trees)
            sum += tree.LeafValues[tree.LeafOf(slots)];
        return Bias + (Scale * sum);
    }
}
