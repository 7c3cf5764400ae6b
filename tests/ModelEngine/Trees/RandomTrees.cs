using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;

namespace StreamMl.ModelEngine.Tests.Trees;

/// <summary>Random ensembles and vectors from a seed: every shape of tree, missing values both ways, sets of categories, infinite thresholds, values on thresholds.</summary>
internal static class RandomTrees
{
    private static readonly float[] Thresholds = [-2, -1, -0.5f, 0, 0.5f, 1, 2, float.PositiveInfinity, float.NegativeInfinity];

    public static IReadOnlyList<Slot> Slots { get; } =
        [new("a", ["a"], 0), new("b", ["b"], 0), new("c", ["c"], 7), new("d", ["d"], 0), new("e", ["e", "a"], 70)];

    /// <param name="random">Where all of it comes from.</param>
    /// <param name="trees">Number of trees.</param>
    /// <param name="maxLeaves">Leaves of the largest.</param>
    /// <param name="deep">Whether nodes split their last leaf only: as deep as there are leaves.</param>
    public static TreeEnsemble Ensemble(Random random, int trees, int maxLeaves, bool deep = false) =>
        new(random.NextDouble() - 0.5, random.Next(2) == 0 ? 1 : 0.5, [.. Enumerable.Range(0, trees).Select(_ => Tree(random, random.Next(5) == 0 ? 1 : random.Next(1, maxLeaves + 1), deep))]);

    public static DecisionTree Tree(Random random, int leaves, bool deep = false)
    {
        var nodes = leaves - 1;
        var (slots, thresholds, missing, left, right) = (new int[nodes], new float[nodes], new bool[nodes], new int[nodes], new int[nodes]);
        List<CategorySplit> categories = [];
        // As LightGBM grows them: a leaf becomes a node; its left child keeps the leaf's number and the right one is new.
        var parents = new (int Node, bool IsLeft)[leaves];
        for (var node = 0; node < nodes; node++)
        {
            var leaf = deep ? node : random.Next(node + 1);
            if (node > 0)
                (parents[leaf].IsLeft ? left : right)[parents[leaf].Node] = node;
            (left[node], right[node]) = (~leaf, ~(node + 1));
            (parents[leaf], parents[node + 1]) = ((node, true), (node, false));
            slots[node] = random.Next(Slots.Count);
            missing[node] = random.Next(2) == 0;
            if (!Slots[slots[node]].IsCategorical || random.Next(4) == 0)
            {
                thresholds[node] = Thresholds[random.Next(Thresholds.Length)];
                continue;
            }

            missing[node] = true;
            var codes = Enumerable.Range(0, Slots[slots[node]].Cardinality).Where(_ => random.Next(3) == 0).ToArray();
            categories.Add(new CategorySplit(node, codes.Length > 0 ? codes : [0]));
        }

        return new DecisionTree(slots, thresholds, missing, left, right, categories,
            [.. Enumerable.Range(0, leaves).Select(_ => random.NextDouble() - 0.5)],
            [.. Enumerable.Range(0, leaves).Select(_ => (double)random.Next(0, 6))]);
    }

    public static float[] Vector(Random random) => [.. Slots.Select(slot => random.Next(6) switch
    {
        0 => float.NaN,
        1 when slot.IsCategorical => random.Next(2) == 0 ? -1 : slot.Cardinality + 0.5f,
        1 => Thresholds[random.Next(Thresholds.Length)],
        _ => slot.IsCategorical ? random.Next(slot.Cardinality) : (random.NextSingle() * 5) - 2.5f,
    })];
}
