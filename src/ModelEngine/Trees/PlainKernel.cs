using System.Runtime.CompilerServices;

namespace StreamMl.ModelEngine.Trees;

/// <summary>One tree after the other, nodes of all trees in one array.</summary>
internal sealed class PlainKernel : TreeKernel
{
    private readonly Node[] nodes;
    private readonly double[] leaves;
    private readonly int[] roots;

    public PlainKernel(TreeEnsemble ensemble, VectorLayout layout)
    {
        List<Node> all = [];
        List<double> values = [];
        roots = new int[ensemble.Trees.Count];
        for (var t = 0; t < roots.Length; t++)
        {
            var tree = ensemble.Trees[t];
            var (firstNode, firstLeaf) = (all.Count, values.Count);
            roots[t] = tree.Slots.Count == 0 ? ~firstLeaf : firstNode;
            for (var node = 0; node < tree.Slots.Count; node++)
            {
                var (entry, threshold) = layout.Question(tree, node);
                all.Add(new Node(entry, threshold, Child(tree.Left[node], firstNode, firstLeaf), Child(tree.Right[node], firstNode, firstLeaf)));
            }

            values.AddRange(tree.LeafValues);
        }

        (nodes, leaves) = ([.. all], [.. values]);
    }

    // Compiled fully at once, as the other kernels are: a trial at load would find it slow and never fast.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Sum(ReadOnlySpan<float> vector, TreeKernelRoom room)
    {
        var sum = 0.0;
        foreach (var root in roots)
            sum += leaves[Leaf(root, vector)];
        return sum;
    }

    /// <summary>Adds a row's weight to the leaves that it reaches; leaves of all trees, one tree after the other.</summary>
    public void AddWeight(ReadOnlySpan<float> vector, double weight, Span<double> leafWeights)
    {
        foreach (var root in roots)
            leafWeights[Leaf(root, vector)] += weight;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Leaf(int root, ReadOnlySpan<float> vector)
    {
        var all = nodes;
        var at = root;
        while (at >= 0)
        {
            ref readonly var node = ref all[at];
            at = vector[node.Entry] <= node.Threshold ? node.Left : node.Right;
        }

        return ~at;
    }

    private static int Child(int child, int firstNode, int firstLeaf) => child >= 0 ? firstNode + child : ~(firstLeaf + ~child);

    private readonly record struct Node(int Entry, float Threshold, int Left, int Right);
}
