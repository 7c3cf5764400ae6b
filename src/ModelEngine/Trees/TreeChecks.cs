using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Trees;

/// <summary>What a tree must be so that no kernel reads outside of it or walks for ever. Pure.</summary>
internal static class TreeChecks
{
    private const string Remedy = "restore the model from a copy, or train it again";

    /// <exception cref="ModelException">The first thing that is wrong.</exception>
    public static void Check(TreeEnsemble ensemble, int function, IReadOnlyList<Slot> slots)
    {
        if (!double.IsFinite(ensemble.Bias) || !double.IsFinite(ensemble.Scale))
            throw new ModelException($"tree function {function} has bias {ensemble.Bias} and scale {ensemble.Scale}, which must be finite: {Remedy}");
        if (ensemble.Trees.Count > TreeEnsemble.MaxTrees)
            throw new ModelException($"tree function {function} has {ensemble.Trees.Count:N0} trees, and at most {TreeEnsemble.MaxTrees:N0} are read: train with fewer trees");
        for (var i = 0; i < ensemble.Trees.Count; i++)
        {
            if (Fault(ensemble.Trees[i], slots) is { } fault)
                throw new ModelException($"tree {i} of function {function}: {fault}: {Remedy}");
        }
    }

    private static string? Fault(DecisionTree tree, IReadOnlyList<Slot> slots)
    {
        var (nodes, leaves) = (tree.Slots.Count, tree.LeafValues.Count);
        if (tree.Thresholds.Count != nodes || tree.MissingLeft.Count != nodes || tree.Left.Count != nodes || tree.Right.Count != nodes || leaves != nodes + 1)
            return $"it has {nodes} slots, {tree.Thresholds.Count} thresholds, {tree.MissingLeft.Count} missing, {tree.Left.Count} left, {tree.Right.Count} right and {leaves} leaves; the first five must be equal, and one leaf more";
        if (tree.LeafWeights.Count != 0 && tree.LeafWeights.Count != leaves)
            return $"it has {tree.LeafWeights.Count} leaf weights and {leaves} leaves";
        if (tree.LeafValues.Any(v => !double.IsFinite(v)) || tree.LeafWeights.Any(w => !double.IsFinite(w) || w < 0))
            return "a leaf value is not finite, or a leaf weight is negative or not finite";
        for (var node = 0; node < nodes; node++)
        {
            if (tree.Slots[node] < 0 || tree.Slots[node] >= slots.Count)
                return $"node {node} reads slot {tree.Slots[node]} of {slots.Count}";
            if (float.IsNaN(tree.Thresholds[node]))
                return $"node {node} has the threshold NaN";
        }

        return Categories(tree, slots) ?? Shape(tree, nodes, leaves);
    }

    private static string? Categories(DecisionTree tree, IReadOnlyList<Slot> slots)
    {
        var last = -1;
        foreach (var split in tree.Categories)
        {
            if (split.Node <= last || split.Node >= tree.Slots.Count)
                return $"categorical node {split.Node} is out of order or not there";
            last = split.Node;
            var slot = slots[tree.Slots[split.Node]];
            if (split.Codes.Count == 0 || split.Codes[0] < 0 || split.Codes[^1] >= slot.Cardinality || split.Codes.Zip(split.Codes.Skip(1)).Any(p => p.First >= p.Second))
                return $"node {split.Node} splits slot '{slot.Name}' of {slot.Cardinality} categories at codes {string.Join(',', split.Codes)}, which must ascend below that number";
            if (!tree.MissingLeft[split.Node])
                return $"categorical node {split.Node} sends missing values right";
        }

        return null;
    }

    // Every inner node but the root, and every leaf, is the child of exactly one node that comes from the root.
    private static string? Shape(DecisionTree tree, int nodes, int leaves)
    {
        var seen = new bool[nodes + leaves];
        var open = new Stack<int>();
        open.Push(nodes == 0 ? ~0 : 0);
        var reached = 0;
        while (open.TryPop(out var child))
        {
            var place = child >= 0 ? child : nodes + ~child;
            if (child >= nodes || place >= seen.Length || seen[place])
                return $"child {child} is not there, or is the child of two nodes";
            seen[place] = true;
            reached++;
            if (child < 0)
                continue;
            open.Push(tree.Right[child]);
            open.Push(tree.Left[child]);
        }

        return reached == seen.Length ? null : $"{seen.Length - reached} nodes and leaves hang on nothing";
    }
}
