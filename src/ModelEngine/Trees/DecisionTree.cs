namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// One tree over a model's slots, as flat arrays: entry <c>i</c> of the first five belongs to inner node <c>i</c>, node 0 is the root. A child is an inner
/// node's index, or <c>~leaf</c> (negative) for a leaf. A tree without inner nodes is its one leaf. Immutable; thread-safe.
/// </summary>
/// <remarks>
/// A numeric node sends <c>x &lt;= threshold</c> left, greater values right, and NaN where <paramref name="MissingLeft"/> says. A categorical node sends the codes
/// of its set right, and every other value left: other codes, fractions, NaN. Both are what ML.NET's tree ensembles do.
/// </remarks>
/// <param name="Slots">The slot that each node reads.</param>
/// <param name="Thresholds">Of numeric nodes; may be infinite, never NaN. 0 at categorical nodes.</param>
/// <param name="MissingLeft">Whether NaN goes left. True at categorical nodes.</param>
/// <param name="Left">Left child of each node.</param>
/// <param name="Right">Right child of each node.</param>
/// <param name="Categories">The categorical nodes, ascending by node.</param>
/// <param name="LeafValues">One value per leaf, finite.</param>
/// <param name="LeafWeights">The training rows' weight in each leaf, needed for explanations; empty where it is not known.</param>
public sealed record DecisionTree(
    IReadOnlyList<int> Slots,
    IReadOnlyList<float> Thresholds,
    IReadOnlyList<bool> MissingLeft,
    IReadOnlyList<int> Left,
    IReadOnlyList<int> Right,
    IReadOnlyList<CategorySplit> Categories,
    IReadOnlyList<double> LeafValues,
    IReadOnlyList<double> LeafWeights)
{
    /// <summary>A tree that answers one value.</summary>
    public static DecisionTree Leaf(double value) => new([], [], [], [], [], [], [value], []);

    /// <summary>The leaf that a vector reaches; the plain walk that every kernel is held to.</summary>
    public int LeafOf(ReadOnlySpan<float> slots)
    {
        var node = Slots.Count == 0 ? ~0 : 0;
        while (node >= 0)
            node = GoesLeft(node, slots[Slots[node]]) ? Left[node] : Right[node];
        return ~node;
    }

    internal bool GoesLeft(int node, float value)
    {
        if (CategoriesOf(node) is { } codes)
            return !codes.Any(code => code == value);
        return float.IsNaN(value) ? MissingLeft[node] : value <= Thresholds[node];
    }

    internal IReadOnlyList<int>? CategoriesOf(int node)
    {
        foreach (var split in Categories)
        {
            if (split.Node == node)
                return split.Codes;
        }

        return null;
    }
}

/// <summary>The codes that a categorical node sends right.</summary>
/// <param name="Node">The inner node.</param>
/// <param name="Codes">Ascending codes, at least one.</param>
public sealed record CategorySplit(int Node, IReadOnlyList<int> Codes);
