namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// An ensemble as QuickScorer asks it (C. Lucchese et al. 2015, "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees"): per entry the thresholds of
/// all trees ascending; every one that the value is above takes the leaves left of its node out of that tree's bits. The first bit that is left is the leaf. For trees of up to
/// 64 leaves. Immutable.
/// </summary>
internal sealed class QuickScorer
{
    private const int MaxLeaves = 64;

    private QuickScorer(IReadOnlyList<Test> tests, double[] leaves, int[] firstLeaves) => (Tests, Leaves, FirstLeaves) = (tests, leaves, firstLeaves);

    /// <summary>By entry, then threshold.</summary>
    public IReadOnlyList<Test> Tests { get; }

    /// <summary>Values of the leaves, tree after tree, from left to right.</summary>
    public double[] Leaves { get; }

    /// <summary>Where each tree's leaves begin.</summary>
    public int[] FirstLeaves { get; }

    /// <summary>The tests, or null where a tree has too many leaves.</summary>
    public static QuickScorer? TryOf(TreeEnsemble ensemble, VectorLayout layout)
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

        return new QuickScorer([.. tests.OrderBy(n => n.Entry).ThenBy(n => n.Threshold)], [.. leaves], starts);
    }

    /// <summary>By entry, how many of the things come before the end of those that belong to it.</summary>
    /// <param name="entries">The entry of each, ascending.</param>
    /// <param name="length">Of the vector.</param>
    public static int[] EndsOf(IEnumerable<int> entries, int length)
    {
        var ends = new int[length];
        foreach (var entry in entries)
            ends[entry]++;
        for (var i = 1; i < length; i++)
            ends[i] += ends[i - 1];
        return ends;
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

    /// <param name="Entry">Of the vector.</param>
    /// <param name="Threshold">What is above it passes.</param>
    /// <param name="Tree">Whose node it is.</param>
    /// <param name="Mask">The tree's leaves that are left when it passes, a bit each.</param>
    internal readonly record struct Test(int Entry, float Threshold, int Tree, ulong Mask);
}
