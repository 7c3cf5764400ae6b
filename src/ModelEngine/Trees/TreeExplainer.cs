namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// Path-dependent TreeSHAP (S. Lundberg, G. Erion, S.-I. Lee 2018, "Consistent individualized feature attribution for tree ensembles", arXiv:1802.03888, algorithm 2):
/// the exact Shapley values of the game in which an unknown slot sends a row down both children, by their shares of the training rows' weight.
/// A node that no training row reached splits in equal parts. Immutable; thread-safe.
/// </summary>
internal sealed class TreeExplainer
{
    private readonly DecisionTree[] trees;
    private readonly double[][] leftShares;

    public TreeExplainer(TreeEnsemble ensemble)
    {
        trees = [.. ensemble.Trees];
        leftShares = new double[trees.Length][];
        for (var t = 0; t < trees.Length; t++)
        {
            leftShares[t] = new double[trees[t].Slots.Count];
            var (_, value, depth) = trees[t].Slots.Count == 0 ? (0, trees[t].LeafValues[0], 0) : Measure(trees[t], 0, leftShares[t]);
            Expected += value;
            Depth = Math.Max(Depth, depth);
        }
    }

    /// <summary>The sum that is expected of a training row.</summary>
    public double Expected { get; }

    /// <summary>Inner nodes on the longest path.</summary>
    public int Depth { get; }

    /// <summary>Adds <paramref name="factor"/> times each slot's contribution to the sum; returns that multiple of <see cref="Expected"/>.</summary>
    public double Explain(ReadOnlySpan<float> slots, double factor, Span<double> contributions, TreeExplainerRoom room)
    {
        for (var t = 0; t < trees.Length; t++)
        {
            if (trees[t].Slots.Count > 0)
                new Walk(trees[t], leftShares[t], slots, factor, contributions, room).Visit(0, 0, 0, 1, 1, -1);
        }

        return factor * Expected;
    }

    private static (double Weight, double Value, int Depth) Measure(DecisionTree tree, int child, double[] shares)
    {
        if (child < 0)
            return (tree.LeafWeights[~child], tree.LeafValues[~child], 0);
        var left = Measure(tree, tree.Left[child], shares);
        var right = Measure(tree, tree.Right[child], shares);
        var weight = left.Weight + right.Weight;
        shares[child] = weight > 0 ? left.Weight / weight : 0.5;
        return (weight, (shares[child] * left.Value) + ((1 - shares[child]) * right.Value), 1 + Math.Max(left.Depth, right.Depth));
    }

    /// <summary>One tree's recursion. The path of each depth stands in the room after its parent's.</summary>
    private ref struct Walk(DecisionTree tree, double[] leftShares, ReadOnlySpan<float> slots, double factor, Span<double> contributions, TreeExplainerRoom room)
    {
        private readonly ReadOnlySpan<float> slots = slots;
        private readonly Span<double> contributions = contributions;

        public readonly void Visit(int child, int parentStart, int length, double zero, double one, int slot)
        {
            // No row reaches it, nor does this one once a slot of the path is known: it is worth nothing to any set of slots.
            if (zero == 0 && one == 0)
                return;
            var start = parentStart + length;
            var path = room.Path.AsSpan(start, length + 1);
            room.Path.AsSpan(parentStart, length).CopyTo(path);
            Extend(path, zero, one, slot);
            if (child < 0)
            {
                Answer(path, factor * tree.LeafValues[~child]);
                return;
            }

            var (goesLeft, share) = (tree.GoesLeft(child, slots[tree.Slots[child]]), leftShares[child]);
            double incomingZero = 1, incomingOne = 1;
            var depth = path.Length;
            for (var i = 1; i < path.Length; i++)
            {
                if (path[i].Slot != tree.Slots[child])
                    continue;
                (incomingZero, incomingOne) = (path[i].Zero, path[i].One);
                Unwind(path, i);
                depth--;
                break;
            }

            Visit(tree.Left[child], start, depth, incomingZero * share, goesLeft ? incomingOne : 0, tree.Slots[child]);
            Visit(tree.Right[child], start, depth, incomingZero * (1 - share), goesLeft ? 0 : incomingOne, tree.Slots[child]);
        }

        private readonly void Answer(Span<PathElement> path, double value)
        {
            for (var i = 1; i < path.Length; i++)
                contributions[path[i].Slot] += UnwoundSum(path, i) * (path[i].One - path[i].Zero) * value;
        }
    }

    // Adds the last element: weights of subsets of one more size.
    private static void Extend(Span<PathElement> path, double zero, double one, int slot)
    {
        var last = path.Length - 1;
        path[last] = new PathElement { Slot = slot, Zero = zero, One = one, Weight = last == 0 ? 1 : 0 };
        for (var i = last - 1; i >= 0; i--)
        {
            path[i + 1].Weight += one * path[i].Weight * (i + 1) / (last + 1);
            path[i].Weight = zero * path[i].Weight * (last - i) / (last + 1);
        }
    }

    // Takes element i away again, and what it did to the weights.
    private static void Unwind(Span<PathElement> path, int at)
    {
        var last = path.Length - 1;
        var (one, zero) = (path[at].One, path[at].Zero);
        var next = path[last].Weight;
        for (var j = last - 1; j >= 0; j--)
        {
            if (one != 0)
            {
                var weight = path[j].Weight;
                path[j].Weight = next * (last + 1) / ((j + 1) * one);
                next = weight - (path[j].Weight * zero * (last - j) / (last + 1));
            }
            else
            {
                path[j].Weight = path[j].Weight * (last + 1) / (zero * (last - j));
            }
        }

        for (var j = at; j < last; j++)
            (path[j].Slot, path[j].Zero, path[j].One) = (path[j + 1].Slot, path[j + 1].Zero, path[j + 1].One);
    }

    private static double UnwoundSum(ReadOnlySpan<PathElement> path, int at)
    {
        var last = path.Length - 1;
        var (one, zero) = (path[at].One, path[at].Zero);
        var next = path[last].Weight;
        var total = 0.0;
        for (var j = last - 1; j >= 0; j--)
        {
            if (one != 0)
            {
                var weight = next * (last + 1) / ((j + 1) * one);
                total += weight;
                next = path[j].Weight - (weight * zero * (last - j) / (last + 1));
            }
            else
            {
                total += path[j].Weight / zero * (last + 1) / (last - j);
            }
        }

        return total;
    }
}

internal struct PathElement
{
    public int Slot;
    public double Zero;
    public double One;
    public double Weight;
}

/// <summary>Room for the paths of one row's explanation; one thread at a time.</summary>
internal sealed class TreeExplainerRoom(int depth)
{
    // A path per depth, each one element longer than its parent's.
    public PathElement[] Path { get; } = new PathElement[(depth + 2) * (depth + 3) / 2];
}
