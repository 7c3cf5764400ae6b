using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// Eight trees at a time, without a branch: a step adds to a place, and a leaf adds nothing, so eight chains of loads overlap and nothing is mispredicted. Trees are
/// grouped by depth, so that shallow ones do not wait for deep ones; leaves are summed in the trees' own order.
/// </summary>
internal sealed class InterleavedKernel : TreeKernel
{
    private const int Lanes = 8;

    private readonly Node[] nodes;
    private readonly double[] values;
    private readonly Group[] groups;
    private readonly int trees;
    private readonly int vectorLength;

    private InterleavedKernel(Node[] nodes, double[] values, Group[] groups, int trees, int vectorLength) =>
        (this.nodes, this.values, this.groups, this.trees, this.vectorLength) = (nodes, values, groups, trees, vectorLength);

    /// <summary>The kernel, or null where a tree or the vector is too large for its narrow nodes.</summary>
    public static InterleavedKernel? TryCreate(TreeEnsemble ensemble, VectorLayout layout)
    {
        if (layout.Length > ushort.MaxValue || ensemble.Trees.Any(t => t.LeafValues.Count > short.MaxValue))
            return null;
        List<Node> all = [];
        List<double> leaves = [];
        var placed = ensemble.Trees.Select((tree, index) => Place(tree, index, layout, all, leaves)).OrderBy(t => t.Depth).ToList();
        // A last group that is not full walks a leaf whose value nobody asks for.
        all.Add(Node.Leaf);
        leaves.Add(0);
        while (placed.Count % Lanes != 0)
            placed.Insert(0, (ensemble.Trees.Count, all.Count - 1, 0));
        Group[] eights = [.. placed.Chunk(Lanes).Select(g => new Group(g[^1].Depth, [.. g.Select(t => t.Root)], [.. g.Select(t => t.Index)]))];
        return new InterleavedKernel([.. all], [.. leaves], eights, ensemble.Trees.Count, layout.Length);
    }

    public override TreeKernelRoom NewRoom() => new Room(new double[trees + 1]);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Sum(ReadOnlySpan<float> vector, TreeKernelRoom room)
    {
        // The loops below trust places and entries: they were checked when the trees were (TreeChecks), and the vector is checked here.
        if (vector.Length < vectorLength)
            throw new ArgumentException($"the vector has {vector.Length} entries and {vectorLength} are needed", nameof(vector));
        var leaves = ((Room)room).Leaves;
        foreach (var group in groups)
            Walk(group, ref MemoryMarshal.GetArrayDataReference(nodes), ref MemoryMarshal.GetReference(vector), leaves);
        var sum = 0.0;
        foreach (var leaf in leaves.AsSpan(0, trees))
            sum += leaf;
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Walk(Group group, ref Node first, ref float vector, double[] leaves)
    {
        var roots = group.Roots;
        int a = roots[0], b = roots[1], c = roots[2], d = roots[3], e = roots[4], f = roots[5], g = roots[6], h = roots[7];
        for (var step = 0; step < group.Depth; step++)
        {
            a = Next(ref first, ref vector, a);
            b = Next(ref first, ref vector, b);
            c = Next(ref first, ref vector, c);
            d = Next(ref first, ref vector, d);
            e = Next(ref first, ref vector, e);
            f = Next(ref first, ref vector, f);
            g = Next(ref first, ref vector, g);
            h = Next(ref first, ref vector, h);
        }

        var targets = group.Trees;
        leaves[targets[0]] = values[a];
        leaves[targets[1]] = values[b];
        leaves[targets[2]] = values[c];
        leaves[targets[3]] = values[d];
        leaves[targets[4]] = values[e];
        leaves[targets[5]] = values[f];
        leaves[targets[6]] = values[g];
        leaves[targets[7]] = values[h];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Next(ref Node first, ref float vector, int at)
    {
        ref var node = ref Unsafe.Add(ref first, at);
        // Not "greater": NaN, of which every comparison is false, goes right.
        var right = !(node.Threshold >= Unsafe.Add(ref vector, node.Entry));
        return at + node.Left + Unsafe.BitCast<bool, byte>(right);
    }

    // Breadth first, siblings side by side, so that a node says where its left child is and its right one is the next.
    private static (int Index, int Root, int Depth) Place(DecisionTree tree, int index, VectorLayout layout, List<Node> nodes, List<double> values)
    {
        var root = nodes.Count;
        var depth = 0;
        List<(int Child, int Depth)> level = [(tree.Slots.Count == 0 ? ~0 : 0, 0)];
        for (var i = 0; i < level.Count; i++)
        {
            var (child, at) = level[i];
            depth = Math.Max(depth, at);
            values.Add(child < 0 ? tree.LeafValues[~child] : 0);
            if (child < 0)
            {
                nodes.Add(Node.Leaf);
                continue;
            }

            var (entry, threshold) = layout.Question(tree, child);
            nodes.Add(new Node(threshold, (ushort)entry, (ushort)(level.Count - i)));
            level.Add((tree.Left[child], at + 1));
            level.Add((tree.Right[child], at + 1));
        }

        return (index, root, depth);
    }

    /// <param name="Left">How far away the left child is; the right one follows it.</param>
    private readonly record struct Node(float Threshold, ushort Entry, ushort Left)
    {
        /// <summary>Entry 0 is 0, which is not greater than infinity: it stays where it is.</summary>
        public static Node Leaf => new(float.PositiveInfinity, 0, 0);
    }

    private sealed record Group(int Depth, int[] Roots, int[] Trees);

    private sealed class Room(double[] leaves) : TreeKernelRoom
    {
        public double[] Leaves => leaves;
    }
}
