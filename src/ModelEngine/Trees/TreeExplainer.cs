namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// Path-dependent TreeSHAP (S. Lundberg, G. Erion, S.-I. Lee 2018, "Consistent individualized feature attribution for tree ensembles", arXiv:1802.03888, algorithm 2):
/// the exact Shapley values of the game in which an unknown slot sends a row down both children, by their shares of the training rows' weight.
/// A node that no training row reached splits in equal parts. Immutable; thread-safe.
/// </summary>
internal sealed class TreeExplainer
{
    private readonly ExplainedTree[] trees;

    public TreeExplainer(TreeEnsemble ensemble)
    {
        trees = [.. ensemble.Trees.Select(t => new ExplainedTree(t))];
        Expected = trees.Sum(t => t.Expected);
        Depth = trees.Max(t => (int?)t.Depth) ?? 0;
    }

    /// <summary>The sum that is expected of a training row.</summary>
    public double Expected { get; }

    /// <summary>Inner nodes on the longest path.</summary>
    public int Depth { get; }

    /// <summary>Adds <paramref name="factor"/> times each slot's contribution to the sum; returns that multiple of <see cref="Expected"/>.</summary>
    public double Explain(ReadOnlySpan<float> slots, double factor, Span<double> contributions, TreeExplainerRoom room)
    {
        foreach (var tree in trees)
        {
            if (tree.Slots.Length > 0)
                new Walk(tree, slots, factor, contributions, room.Path).Visit(0, 0, 0, 1, 1, -1);
        }

        return factor * Expected;
    }

    /// <summary>One tree's recursion. The path of each depth stands in the room after its parent's.</summary>
    private readonly ref struct Walk(ExplainedTree tree, ReadOnlySpan<float> slots, double factor, Span<double> contributions, PathElement[] room)
    {
        private readonly ReadOnlySpan<float> slots = slots;
        private readonly Span<double> contributions = contributions;

        public void Visit(int child, int parentStart, int length, double zero, double one, int slot)
        {
            // No row reaches it, nor does this one once a slot of the path is known: it is worth nothing to any set of slots.
            if (zero == 0 && one == 0)
                return;
            var start = parentStart + length;
            var path = room.AsSpan(start, length + 1);
            room.AsSpan(parentStart, length).CopyTo(path);
            SubsetWeights.Extend(path, zero, one, slot);
            if (child < 0)
            {
                Answer(path, factor * tree.LeafValues[~child]);
                return;
            }

            slot = tree.Slots[child];
            var (goesLeft, share) = (tree.GoesLeft(child, slots[slot]), tree.LeftShares[child]);
            double knownZero = 1, knownOne = 1;
            var depth = path.Length;
            // A slot stands on a path once: what an earlier node knew of it is taken back and said again with this one's.
            for (var i = 1; i < path.Length; i++)
            {
                if (path[i].Slot != slot)
                    continue;
                (knownZero, knownOne) = (path[i].Zero, path[i].One);
                SubsetWeights.Unwind(path, i);
                depth--;
                break;
            }

            Visit(tree.Left[child], start, depth, knownZero * share, goesLeft ? knownOne : 0, slot);
            Visit(tree.Right[child], start, depth, knownZero * (1 - share), goesLeft ? 0 : knownOne, slot);
        }

        private void Answer(ReadOnlySpan<PathElement> path, double value)
        {
            for (var i = 1; i < path.Length; i++)
                contributions[path[i].Slot] += SubsetWeights.UnwoundSum(path, i) * (path[i].One - path[i].Zero) * value;
        }
    }
}

/// <summary>A tree in arrays, with each node's share of weight that goes left.</summary>
internal sealed class ExplainedTree
{
    private readonly float[] thresholds;
    private readonly bool[] missingLeft;
    private readonly int[]?[] codes;
    private readonly double[] leafWeights;

    public ExplainedTree(DecisionTree tree)
    {
        (Slots, Left, Right, LeafValues) = ([.. tree.Slots], [.. tree.Left], [.. tree.Right], [.. tree.LeafValues]);
        (thresholds, missingLeft, leafWeights) = ([.. tree.Thresholds], [.. tree.MissingLeft], [.. tree.LeafWeights]);
        codes = new int[]?[Slots.Length];
        foreach (var split in tree.Categories)
            codes[split.Node] = [.. split.Codes];
        LeftShares = new double[Slots.Length];
        (_, Expected, Depth) = Slots.Length == 0 ? (0, LeafValues[0], 0) : Measure(0);
    }

    public int[] Slots { get; }

    public int[] Left { get; }

    public int[] Right { get; }

    public double[] LeafValues { get; }

    public double[] LeftShares { get; }

    public double Expected { get; }

    public int Depth { get; }

    public bool GoesLeft(int node, float value)
    {
        if (codes[node] is not { } set)
            return float.IsNaN(value) ? missingLeft[node] : value <= thresholds[node];
        return !(value >= 0 && value <= set[^1] && (int)value == value && Array.BinarySearch(set, (int)value) >= 0);
    }

    private (double Weight, double Value, int Depth) Measure(int child)
    {
        if (child < 0)
            return (leafWeights[~child], LeafValues[~child], 0);
        var left = Measure(Left[child]);
        var right = Measure(Right[child]);
        var weight = left.Weight + right.Weight;
        var share = LeftShares[child] = weight > 0 ? left.Weight / weight : 0.5;
        return (weight, (share * left.Value) + ((1 - share) * right.Value), 1 + Math.Max(left.Depth, right.Depth));
    }
}

/// <summary>Room for the paths of one row's explanation; one thread at a time.</summary>
internal sealed class TreeExplainerRoom(int depth)
{
    // A path per depth, each one element longer than its parent's.
    public PathElement[] Path { get; } = new PathElement[(depth + 2) * (depth + 3) / 2];
}
