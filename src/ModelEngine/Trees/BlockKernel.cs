using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// Sixteen rows at a time by <see cref="QuickScorer"/> (C. Lucchese et al. 2016, "Exploiting CPU SIMD extensions to speed-up document scoring with tree ensembles"): each threshold is
/// compared with all rows at once, as <see cref="BitVectorKernel"/> compares it with one. Of each row the leaves are added as every kernel adds them, so it gives the same bits.
/// For trees of up to 64 leaves. Immutable; thread-safe.
/// </summary>
internal sealed class BlockKernel
{
    /// <summary>Rows of a block.</summary>
    public const int Rows = 16;

    private const int WordBits = 32;

    private readonly int[] ends;
    private readonly float[] thresholds;
    private readonly int[] words;
    private readonly uint[] masks;
    private readonly Tree[] trees;
    private readonly double[] values;
    private readonly int wordCount;

    private BlockKernel(int[] ends, List<Test> tests, Tree[] trees, double[] values, int wordCount)
    {
        (this.ends, this.trees, this.values, this.wordCount) = (ends, trees, values, wordCount);
        thresholds = [.. tests.Select(t => t.Threshold)];
        words = [.. tests.Select(t => t.FirstWord)];
        masks = [.. tests.Select(t => t.Mask)];
    }

    /// <summary>The kernel, or null where a tree has too many leaves, or the machine has no vectors of at least eight numbers.</summary>
    public static BlockKernel? TryCreate(TreeEnsemble ensemble, VectorLayout layout)
    {
        if (!Vector256.IsHardwareAccelerated || QuickScorer.TryOf(ensemble, layout) is not { } of)
            return null;
        var placed = new Tree[ensemble.Trees.Count];
        var word = 0;
        for (var t = 0; t < placed.Length; t++)
        {
            placed[t] = new Tree(word * Rows, of.FirstLeaves[t], IsWide: ensemble.Trees[t].LeafValues.Count > WordBits);
            word += placed[t].IsWide ? 2 : 1;
        }

        List<Test> tests = [];
        foreach (var (entry, threshold, tree, mask) in of.Tests)
        {
            if ((uint)mask != uint.MaxValue)
                tests.Add(new Test(entry, threshold, placed[tree].FirstWord, (uint)mask));
            if ((uint)(mask >> WordBits) != uint.MaxValue)
                tests.Add(new Test(entry, threshold, placed[tree].FirstWord + Rows, (uint)(mask >> WordBits)));
        }

        return new BlockKernel(QuickScorer.EndsOf(tests.Select(t => t.Entry), layout.Length), tests, placed, of.Leaves, word);
    }

    /// <summary>What a thread needs beside the kernel.</summary>
    public Room NewRoom() => new(new uint[wordCount * Rows]);

    /// <param name="block">Entry after entry of <see cref="VectorLayout.Fill"/>, each of all rows.</param>
    /// <param name="sums">One for each row.</param>
    /// <param name="room">Of <see cref="NewRoom"/>.</param>
    public void Sum(ReadOnlySpan<float> block, Span<double> sums, Room room)
    {
        // The loops below trust what the kernel was made of; what they are given is checked here.
        if (block.Length < ends.Length * Rows || sums.Length < Rows || room.Words.Length != wordCount * Rows)
            throw new ArgumentException($"a block has {block.Length} values, {sums.Length} sums and {room.Words.Length} words, and {ends.Length * Rows}, {Rows} and {wordCount * Rows} are needed", nameof(block));
        Array.Fill(room.Words, uint.MaxValue);
        ref var word = ref MemoryMarshal.GetArrayDataReference(room.Words);
        Test16(ref MemoryMarshal.GetReference(block), ref word);
        Add16(ref word, ref MemoryMarshal.GetReference(sums));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Test16(ref float block, ref uint word)
    {
        ref var threshold = ref MemoryMarshal.GetArrayDataReference(thresholds);
        ref var mask = ref MemoryMarshal.GetArrayDataReference(masks);
        ref var at = ref MemoryMarshal.GetArrayDataReference(words);
        var i = 0;
        for (var entry = 0; entry < ends.Length; entry++)
        {
            var value = Vector512.LoadUnsafe(ref block, (nuint)(entry * Rows));
            var (end, most) = (ends[entry], Greatest(value));
            // Not "greater": NaN is above every threshold.
            for (; i < end && !(most <= Unsafe.Add(ref threshold, i)); i++)
            {
                var stays = Vector512.LessThanOrEqual(value, Vector512.Create(Unsafe.Add(ref threshold, i))).AsUInt32();
                ref var bits = ref Unsafe.Add(ref word, Unsafe.Add(ref at, i));
                var old = Vector512.LoadUnsafe(ref bits);
                Vector512.ConditionalSelect(stays, old, old & Vector512.Create(Unsafe.Add(ref mask, i))).StoreUnsafe(ref bits);
            }

            i = end;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add16(ref uint word, ref double sums)
    {
        Span<int> places = stackalloc int[Rows];
        ref var place = ref MemoryMarshal.GetReference(places);
        ref var value = ref MemoryMarshal.GetArrayDataReference(values);
        for (var row = 0; row < Rows; row++)
            Unsafe.Add(ref sums, row) = 0;
        foreach (var tree in trees)
        {
            var bits = Vector512.LoadUnsafe(ref word, (nuint)tree.FirstWord);
            var leaf = LowestBit(bits);
            if (tree.IsWide)
            {
                var more = LowestBit(Vector512.LoadUnsafe(ref word, (nuint)(tree.FirstWord + Rows))) + Vector512.Create(WordBits);
                leaf = Vector512.ConditionalSelect(Vector512.Equals(bits, Vector512<uint>.Zero).AsInt32(), more, leaf);
            }

            (leaf + Vector512.Create(tree.FirstLeaf)).StoreUnsafe(ref place);
            for (var row = 0; row < Rows; row++)
                Unsafe.Add(ref sums, row) += Unsafe.Add(ref value, Unsafe.Add(ref place, row));
        }
    }

    // NaN where one is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Greatest(Vector512<float> values)
    {
        if (!Vector512.EqualsAll(values, values))
            return float.NaN;
        var eight = Vector256.MaxNative(values.GetLower(), values.GetUpper());
        var four = Vector128.MaxNative(eight.GetLower(), eight.GetUpper());
        var two = Vector128.MaxNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    // The exponent of the lowest bit as a float, which is exact: a power of two.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> LowestBit(Vector512<uint> bits)
    {
        var lowest = (bits & (Vector512<uint>.Zero - bits)).AsInt32();
        return ((Vector512.ConvertToSingle(lowest).AsInt32() >>> 23) & Vector512.Create(0xff)) - Vector512.Create(127);
    }

    private readonly record struct Test(int Entry, float Threshold, int FirstWord, uint Mask);

    /// <param name="FirstWord">Where its leaves' bits begin: a word of 32 for each row, and another where it is wide.</param>
    /// <param name="FirstLeaf">Where its leaves' values begin.</param>
    /// <param name="IsWide">More than 32 leaves.</param>
    private readonly record struct Tree(int FirstWord, int FirstLeaf, bool IsWide);

    /// <summary>One thread at a time.</summary>
    internal sealed class Room(uint[] words)
    {
        public uint[] Words => words;
    }
}
