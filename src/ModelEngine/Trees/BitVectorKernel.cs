using System.Numerics;
using System.Runtime.CompilerServices;

namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// QuickScorer (C. Lucchese et al. 2015, "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees"): per entry the thresholds of all
/// trees ascending; every one that the value is above takes the leaves left of its node out of that tree's bits. The first bit that is left is the leaf.
/// For trees of up to 64 leaves.
/// </summary>
internal sealed class BitVectorKernel : TreeKernel
{
    private const int MaxLeaves = 64;

    private readonly int[] ends;
    private readonly float[] thresholds;
    private readonly int[] trees;
    private readonly ulong[] masks;
    private readonly double[] values;
    private readonly int[] firstLeaves;

    private BitVectorKernel(int[] ends, float[] thresholds, int[] trees, ulong[] masks, double[] values, int[] firstLeaves) =>
        (this.ends, this.thresholds, this.trees, this.masks, this.values, this.firstLeaves) = (ends, thresholds, trees, masks, values, firstLeaves);

    /// <summary>The kernel, or null where a tree has too many leaves.</summary>
    public static BitVectorKernel? TryCreate(TreeEnsemble ensemble, VectorLayout layout)
    {
        if (ensemble.Trees.Any(t => t.LeafValues.Count > MaxLeaves))
            return null;
        List<Test> tests = [];
        List<double> leaves = [];
        var starts = new int[ensemble.Trees.Count];
        for (var t = 0; t < starts.Length; t++)
        {
            starts[t] = leaves.Count;
            Collect(ensemble.Trees[t], t, ensemble.Trees[t].Slots.Count == 0 ? ~0 : 0, layout, tests, leaves, leaves.Count);
        }

        var sorted = tests.OrderBy(n => n.Entry).ThenBy(n => n.Threshold).ToList();
        var sums = new int[layout.Length];
        foreach (var test in sorted)
            sums[test.Entry]++;
        for (var i = 1; i < sums.Length; i++)
            sums[i] += sums[i - 1];
        return new BitVectorKernel(sums, [.. sorted.Select(n => n.Threshold)], [.. sorted.Select(n => n.Tree)], [.. sorted.Select(n => n.Mask)], [.. leaves], starts);
    }

    public override TreeKernelRoom NewRoom() => new Room(new ulong[firstLeaves.Length]);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Sum(ReadOnlySpan<float> vector, TreeKernelRoom room)
    {
        var bits = ((Room)room).Bits;
        Array.Fill(bits, ulong.MaxValue);
        var i = 0;
        for (var entry = 0; entry < ends.Length; entry++)
        {
            var value = vector[entry];
            var end = ends[entry];
            // Not "greater": NaN is above every threshold.
            for (; i < end && !(value <= thresholds[i]); i++)
                bits[trees[i]] &= masks[i];
            i = end;
        }

        var sum = 0.0;
        for (var t = 0; t < bits.Length; t++)
            sum += values[firstLeaves[t] + BitOperations.TrailingZeroCount(bits[t])];
        return sum;
    }

    // Leaves from left to right; a test's mask has all but those of its left child.
    private static void Collect(DecisionTree tree, int index, int child, VectorLayout layout, List<Test> tests, List<double> values, int firstLeaf)
    {
        if (child < 0)
        {
            values.Add(tree.LeafValues[~child]);
            return;
        }

        var from = values.Count - firstLeaf;
        Collect(tree, index, tree.Left[child], layout, tests, values, firstLeaf);
        var count = values.Count - firstLeaf - from;
        Collect(tree, index, tree.Right[child], layout, tests, values, firstLeaf);
        var (entry, threshold) = layout.Question(tree, child);
        // A left child has at most 63 leaves, so the shift is sound.
        tests.Add(new Test(entry, threshold, index, ~(((1UL << count) - 1) << from)));
    }

    private readonly record struct Test(int Entry, float Threshold, int Tree, ulong Mask);

    private sealed class Room(ulong[] bits) : TreeKernelRoom
    {
        public ulong[] Bits => bits;
    }
}
