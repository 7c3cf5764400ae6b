using Microsoft.ML;
using Microsoft.ML.Data;
using StreamMl.ModelEngine.Steps;
using StreamMl.Training.Extraction;

namespace StreamMl.Training.Tests.Extraction;

/// <summary>Random vectors with missing values and categories, a label that depends on them, and what ML.NET makes of both.</summary>
internal sealed class MlNetData
{
    private const int Categories = 24;

    private MlNetData(IReadOnlyList<Slot> slots, FeatureLayout layout, float[][] vectors, float[] signals)
    {
        (Slots, Layout, Vectors, Signals) = (slots, layout, vectors, signals);
    }

    public static MLContext Context { get; } = new(seed: 1);

    public IReadOnlyList<Slot> Slots { get; }

    public FeatureLayout Layout { get; }

    public float[][] Vectors { get; }

    public float[] Signals { get; }

    public static MlNetData Make(int rows, int seed, bool missing, bool categories)
    {
        Slot[] numbers = [.. Enumerable.Range(0, 6).Select(i => new Slot($"n{i}", [$"n{i}"], 0))];
        Slot[] slots = categories ? [.. numbers, new Slot("c", ["c"], Categories), new Slot("d", ["d"], 5)] : numbers;
        var random = new Random(seed);
        var vectors = new float[rows][];
        var signals = new float[rows];
        for (var r = 0; r < rows; r++)
        {
            var vector = vectors[r] = new float[slots.Length];
            for (var s = 0; s < slots.Length; s++)
            {
                vector[s] = missing && random.Next(5) == 0 ? float.NaN
                    : slots[s].IsCategorical ? random.Next(slots[s].Cardinality)
                    : s == 0 ? random.Next(4) : (float)Math.Round((random.NextDouble() * 10) - 5, 2);
            }

            var known = vector.Select(v => float.IsNaN(v) ? 1.5f : v).ToArray();
            signals[r] = known[0] + (known[1] * known[2] / 5) + (float.IsNaN(vector[3]) ? 2 : 0) + (random.NextSingle() * 2) - 1
                + (categories ? (known[6] % 3 * 1.5f) - (known[7] % 2) : 0);
        }

        return new MlNetData(slots, FeatureLayout.Indicators(slots), vectors, signals);
    }

    public IDataView View()
    {
        var order = Signals.Order().ToArray();
        var (third, half, rest) = (order[order.Length / 3], order[order.Length / 2], order[2 * order.Length / 3]);
        var rows = Vectors.Select((vector, i) =>
        {
            VBuffer<float> features = default;
            Layout.Fill(vector, ref features);
            return new Row
            {
                Features = features,
                Label = Signals[i] > half,
                Class = Signals[i] < third ? 1u : Signals[i] < rest ? 2u : 3u,
                Value = Signals[i],
            };
        });
        var schema = SchemaDefinition.Create(typeof(Row));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Layout.Width);
        schema["Class"].ColumnType = new KeyDataViewType(typeof(uint), 3);
        if (Layout.CategoricalRanges.Count > 0)
        {
            schema["Features"].AddAnnotation(
                "CategoricalSlotRanges",
                new VBuffer<int>(Layout.CategoricalRanges.Count, [.. Layout.CategoricalRanges]),
                new VectorDataViewType(NumberDataViewType.Int32, Layout.CategoricalRanges.Count / 2, 2));
        }

        return Context.Data.LoadFromEnumerable(rows, schema);
    }

    /// <summary>A column of what a trained model makes of the rows, one array per row.</summary>
    public static float[][] Read(IDataView transformed, string column)
    {
        var of = transformed.Schema[column];
        return of.Type is VectorDataViewType
            ? [.. transformed.GetColumn<VBuffer<float>>(of).Select(v => v.DenseValues().ToArray())]
            : [.. transformed.GetColumn<float>(of).Select(v => new[] { v })];
    }

    private sealed class Row
    {
        public VBuffer<float> Features { get; set; }

        public bool Label { get; set; }

        public uint Class { get; set; }

        public float Value { get; set; }
    }
}
