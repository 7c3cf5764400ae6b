using System.Reflection;
using Microsoft.ML.Trainers.FastTree;
using StreamMl.ModelEngine.Trees;

namespace StreamMl.Training.Extraction;

/// <summary>
/// Takes trees out of ML.NET's ensembles (LightGBM, FastTree, FastForest), so that they send every row to the same leaf. ML.NET compares floats: <c>x &lt;= threshold</c>
/// goes left, all else right. NaN is first replaced by the node's default value where the tree has any, and goes right where it has none.
/// </summary>
internal static class TreeExtractor
{
    // The default values for missing ones are the only part that the public types do not show.
    private static readonly FieldInfo Inner = Field(typeof(RegressionTreeBase), "_tree");
    private static readonly FieldInfo MissingDefaults = Field(Inner.FieldType, "DefaultValueForMissing");

    /// <param name="ensemble">ML.NET's ensemble.</param>
    /// <param name="layout">How it was trained.</param>
    /// <param name="scale">What the score is multiplied with.</param>
    /// <param name="offset">What is added to that.</param>
    /// <param name="gains">Gains by slot are added here.</param>
    public static TreeEnsemble Extract<TTree>(TreeEnsemble<TTree> ensemble, FeatureLayout layout, double scale, double offset, double[] gains)
        where TTree : RegressionTreeBase
    {
        var trees = ensemble.Trees.Select((tree, i) => Extract(tree, ensemble.TreeWeights[i], layout, gains)).ToArray();
        return new TreeEnsemble((scale * ensemble.Bias) + offset, scale, trees);
    }

    private static DecisionTree Extract(RegressionTreeBase tree, double weight, FeatureLayout layout, double[] gains)
    {
        if (tree.NumberOfLeaves == 1)
            return DecisionTree.Leaf(weight * tree.LeafValues[0]);
        var nodes = tree.NumberOfNodes;
        var defaults = (float[]?)MissingDefaults.GetValue(Inner.GetValue(tree));
        var questions = Enumerable.Range(0, nodes).Select(n => Question(tree, n, defaults, layout)).ToArray();
        for (var n = 0; n < nodes; n++)
            gains[questions[n].Slot] += tree.SplitGains[n];
        return new DecisionTree(
            [.. questions.Select(q => q.Slot)],
            [.. questions.Select(q => q.Threshold)],
            [.. questions.Select(q => q.MissingLeft)],
            [.. tree.LeftChild.Take(nodes)],
            [.. tree.RightChild.Take(nodes)],
            [.. questions.Select((q, n) => (q.Codes, n)).Where(q => q.Codes is not null).Select(q => new CategorySplit(q.n, q.Codes!))],
            [.. tree.LeafValues.Take(nodes + 1).Select(v => weight * v)],
            []);
    }

    private static Split Question(RegressionTreeBase tree, int node, float[]? defaults, FeatureLayout layout)
    {
        if (tree.CategoricalSplitFlags[node])
        {
            var origins = tree.GetCategoricalSplitFeaturesAt(node).Select(layout.Origin).ToArray();
            if (origins.Length == 0 || origins.Any(o => o.Code < 0 || o.Slot != origins[0].Slot))
                throw new NotSupportedException($"node {node} splits on the features {string.Join(", ", tree.GetCategoricalSplitFeaturesAt(node))} as categories, which are not the indicators of one slot: train with FeatureLayout.Indicators");
            return new Split(origins[0].Slot, 0, true, [.. origins.Select(o => o.Code).Order()]);
        }

        var (slot, code) = layout.Origin(tree.NumericalSplitFeatureIndexes[node]);
        var threshold = tree.NumericalSplitThresholds[node];
        if (code < 0)
            return new Split(slot, threshold, defaults is not null && defaults[node] <= threshold, null);
        return threshold is >= 0 and < 1
            ? new Split(slot, 0, true, [code])
            // An indicator is 0 or 1, so all rows go one way: right below 0, left from 1 on.
            : new Split(slot, threshold < 0 ? float.NegativeInfinity : float.PositiveInfinity, threshold >= 1, null);
    }

    private static FieldInfo Field(Type type, string name) => type.GetField(name, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
        ?? throw new NotSupportedException($"{type.FullName} of {type.Assembly.GetName().Name} {type.Assembly.GetName().Version} has no field {name}: use the version of Microsoft.ML.FastTree that this program was built with");

    private readonly record struct Split(int Slot, float Threshold, bool MissingLeft, int[]? Codes);
}
