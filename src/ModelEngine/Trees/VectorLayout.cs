using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Trees;

/// <summary>
/// The vector that kernels walk on. It makes one question of all splits, <c>x &lt;= threshold</c>, so that no kernel branches on missing values or categories:
/// a slot whose NaN goes left somewhere stands there as -infinity (always left), one whose NaN goes right as NaN (every comparison is false, so right), and each
/// set of categories as one entry of 0 or 1 with threshold 0. Entry 0 is always 0. Immutable; thread-safe.
/// </summary>
internal sealed class VectorLayout
{
    /// <summary>Tables of sets by code beyond this many floats are not made; sets are then looked up one by one.</summary>
    private const int MaxTableFloats = 1 << 20;

    private readonly int[] plainSlots;
    private readonly int[] lowSlots;
    private readonly SetBlock[] blocks;
    private readonly Dictionary<(int Slot, bool MissingLeft), int> numbers = [];
    private readonly Dictionary<(int Slot, string Codes), int> sets = [];

    public VectorLayout(IReadOnlyList<TreeEnsemble> ensembles, IReadOnlyList<Slot> slots)
    {
        var nodes = ensembles.SelectMany(e => e.Trees).SelectMany(Nodes).ToList();
        plainSlots = [.. nodes.Where(n => n.Codes is null && !n.MissingLeft).Select(n => n.Slot).Distinct().Order()];
        lowSlots = [.. nodes.Where(n => n.Codes is null && n.MissingLeft).Select(n => n.Slot).Distinct().Order()];
        Length = 1;
        foreach (var slot in plainSlots)
            numbers[(slot, false)] = Length++;
        foreach (var slot in lowSlots)
            numbers[(slot, true)] = Length++;
        blocks = [.. nodes.Where(n => n.Codes is not null).GroupBy(n => n.Slot).OrderBy(g => g.Key)
            .Select(g => NewBlock(g.Key, slots[g.Key].Cardinality, [.. g.DistinctBy(n => Key(n.Codes!)).Select(n => n.Codes!)]))];
    }

    /// <summary>Number of entries.</summary>
    public int Length { get; private set; }

    /// <summary>The entry that a node reads, and the threshold that it compares with.</summary>
    public (int Entry, float Threshold) Question(DecisionTree tree, int node) => tree.CategoriesOf(node) is { } codes
        ? (sets[(tree.Slots[node], Key(codes))], 0)
        : (numbers[(tree.Slots[node], tree.MissingLeft[node])], tree.Thresholds[node]);

    /// <param name="slots">The model's vector.</param>
    /// <param name="vector"><see cref="Length"/> entries.</param>
    public void Fill(ReadOnlySpan<float> slots, Span<float> vector)
    {
        vector[0] = 0;
        var at = 1;
        foreach (var slot in plainSlots)
            vector[at++] = slots[slot];
        foreach (var slot in lowSlots)
        {
            var value = slots[slot];
            vector[at++] = float.IsNaN(value) ? float.NegativeInfinity : value;
        }

        foreach (var block in blocks)
            block.Fill(slots[block.Slot], vector);
    }

    private SetBlock NewBlock(int slot, int cardinality, IReadOnlyList<IReadOnlyList<int>> ofSlot)
    {
        var first = Length;
        foreach (var codes in ofSlot)
            sets[(slot, Key(codes))] = Length++;
        return (long)cardinality * ofSlot.Count <= MaxTableFloats
            ? new TableBlock(slot, first, cardinality, ofSlot)
            : new SearchBlock(slot, first, cardinality, ofSlot);
    }

    private static IEnumerable<(int Slot, bool MissingLeft, IReadOnlyList<int>? Codes)> Nodes(DecisionTree tree) =>
        Enumerable.Range(0, tree.Slots.Count).Select(node => (tree.Slots[node], tree.MissingLeft[node], tree.CategoriesOf(node)));

    private static string Key(IReadOnlyList<int> codes) => string.Join(',', codes);

    private abstract class SetBlock(int slot, int first, int cardinality)
    {
        public int Slot => slot;

        protected int First => first;

        /// <summary>The code, or -1 for a value that is in no set: missing, a fraction, out of range.</summary>
        protected int CodeOf(float value)
        {
            // Of NaN and of values out of range the conversion gives some number that is not equal to the value.
            var code = value >= 0 && value < cardinality ? (int)value : -1;
            return code == value ? code : -1;
        }

        public abstract void Fill(float value, Span<float> vector);
    }

    /// <summary>The entries of every code stand ready in one row each: filling is copying.</summary>
    private sealed class TableBlock : SetBlock
    {
        private readonly int width;
        private readonly float[] rows;

        public TableBlock(int slot, int first, int cardinality, IReadOnlyList<IReadOnlyList<int>> sets)
            : base(slot, first, cardinality)
        {
            width = sets.Count;
            rows = new float[cardinality * width];
            for (var i = 0; i < width; i++)
            {
                foreach (var code in sets[i])
                    rows[(code * width) + i] = 1;
            }
        }

        public override void Fill(float value, Span<float> vector)
        {
            var target = vector.Slice(First, width);
            var code = CodeOf(value);
            if (code < 0)
                target.Clear();
            else
                rows.AsSpan(code * width, width).CopyTo(target);
        }
    }

    /// <summary>Many categories and many sets: each set is asked for the code.</summary>
    private sealed class SearchBlock(int slot, int first, int cardinality, IReadOnlyList<IReadOnlyList<int>> sets) : SetBlock(slot, first, cardinality)
    {
        private readonly int[][] sets = [.. sets.Select(s => s.ToArray())];

        public override void Fill(float value, Span<float> vector)
        {
            var code = CodeOf(value);
            for (var i = 0; i < sets.Length; i++)
                vector[First + i] = code >= 0 && Array.BinarySearch(sets[i], code) >= 0 ? 1 : 0;
        }
    }
}
