using Microsoft.ML.Data;
using StreamMl.ModelEngine.Steps;

namespace StreamMl.Training.Extraction;

/// <summary>
/// How a model's slots stand in the vector that ML.NET trains on: a number as it is, a categorical slot as one indicator per category, which is the form in which
/// ML.NET splits on sets of categories. A missing or unknown category is zero everywhere. Immutable; thread-safe.
/// </summary>
public sealed class FeatureLayout
{
    private readonly Slot[] slots;
    private readonly int[] first;
    private readonly (int Slot, int Code)[] origins;

    private FeatureLayout(IReadOnlyList<Slot> slots, bool expand)
    {
        this.slots = [.. slots];
        first = new int[slots.Count];
        List<(int, int)> all = [];
        List<int> ranges = [];
        for (var s = 0; s < slots.Count; s++)
        {
            first[s] = all.Count;
            if (!expand || !slots[s].IsCategorical)
            {
                all.Add((s, -1));
                continue;
            }

            all.AddRange(Enumerable.Range(0, slots[s].Cardinality).Select(code => (s, code)));
            ranges.AddRange([first[s], all.Count - 1]);
        }

        origins = [.. all];
        CategoricalRanges = ranges;
    }

    /// <summary>Categorical slots as indicators: LightGBM and FastTree with categorical splits.</summary>
    public static FeatureLayout Indicators(IReadOnlyList<Slot> slots) => new(slots, expand: true);

    /// <summary>Every slot as it is, codes as numbers.</summary>
    public static FeatureLayout Plain(IReadOnlyList<Slot> slots) => new(slots, expand: false);

    public IReadOnlyList<Slot> Slots => slots;

    /// <summary>Length of ML.NET's vector.</summary>
    public int Width => origins.Length;

    /// <summary>First and last index of each categorical slot's indicators, pair after pair: the value of the annotation <c>CategoricalSlotRanges</c>.</summary>
    public IReadOnlyList<int> CategoricalRanges { get; }

    /// <summary>The name of each place: the slot's, with <c>:code</c> of an indicator.</summary>
    public IEnumerable<string> Names => origins.Select(o => o.Code < 0 ? slots[o.Slot].Name : $"{slots[o.Slot].Name}:{o.Code}");

    /// <summary>The slot that stands at a place, and the code of an indicator, or -1.</summary>
    public (int Slot, int Code) Origin(int feature) => origins[feature];

    /// <summary>Fills ML.NET's vector: sparse where most of it are indicators. Allocates nothing once the buffer is long enough.</summary>
    public void Fill(ReadOnlySpan<float> values, ref VBuffer<float> features)
    {
        if (Width > 2 * slots.Length)
            FillSparse(values, ref features);
        else
            FillDense(values, ref features);
    }

    private void FillDense(ReadOnlySpan<float> values, ref VBuffer<float> features)
    {
        var editor = VBufferEditor.Create(ref features, Width);
        editor.Values.Clear();
        for (var s = 0; s < slots.Length; s++)
        {
            if (Place(s, values[s]) is var (place, value) && place >= 0)
                editor.Values[place] = value;
        }

        features = editor.Commit();
    }

    private void FillSparse(ReadOnlySpan<float> values, ref VBuffer<float> features)
    {
        var editor = VBufferEditor.Create(ref features, Width, slots.Length);
        var count = 0;
        for (var s = 0; s < slots.Length; s++)
        {
            var (place, value) = Place(s, values[s]);
            if (place < 0 || value == 0)
                continue;
            editor.Indices[count] = place;
            editor.Values[count++] = value;
        }

        features = editor.CommitTruncated(count);
    }

    private (int Place, float Value) Place(int slot, float value)
    {
        if (origins[first[slot]].Code < 0)
            return (first[slot], value);
        var code = value >= 0 && value < slots[slot].Cardinality ? (int)value : -1;
        return code == value ? (first[slot] + code, 1) : (-1, 0);
    }
}
