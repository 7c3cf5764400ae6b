using System.Numerics;
using System.Runtime.CompilerServices;

namespace StreamMl.ModelEngine.Trees;

/// <summary>One row at a time by <see cref="QuickScorer"/>. For trees of up to 64 leaves.</summary>
internal sealed class BitVectorKernel : TreeKernel
{
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
        if (QuickScorer.TryOf(ensemble, layout) is not { Tests: var tests } of)
            return null;
        return new BitVectorKernel(
            QuickScorer.EndsOf(tests.Select(t => t.Entry), layout.Length), [.. tests.Select(t => t.Threshold)], [.. tests.Select(t => t.Tree)], [.. tests.Select(t => t.Mask)], of.Leaves, of.FirstLeaves);
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

    private sealed class Room(ulong[] bits) : TreeKernelRoom
    {
        public ulong[] Bits => bits;
    }
}
