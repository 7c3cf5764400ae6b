using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.LightGbm;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using StreamMl.Training.Extraction;

namespace StreamMl.Benchmarks.Kernel;

/// <summary>A LightGBM model of 100 trees with 31 leaves, as ML.NET has it and as we do, with the distinct rows that both score.</summary>
internal sealed class KernelModel
{
    private const int Numbers = 20;
    private const int TrainingRows = 40_000;

    private KernelModel(float[][] vectors, Row[] rows, ModelDocument document, PredictionEngine<Row, Scored> engine) =>
        (Vectors, Rows, Document, Engine) = (vectors, rows, document, engine);

    public float[][] Vectors { get; }

    /// <summary>The same rows in ML.NET's form.</summary>
    public Row[] Rows { get; }

    public ModelDocument Document { get; }

    public PredictionEngine<Row, Scored> Engine { get; }

    /// <param name="rows">Number of distinct rows.</param>
    /// <param name="categories">Whether two of the slots are categorical: 60 and 12 categories.</param>
    public static KernelModel Train(int rows, bool categories, int seed)
    {
        Slot[] numbers = [.. Enumerable.Range(0, Numbers).Select(i => new Slot($"n{i}", [$"n{i}"], 0))];
        Slot[] slots = [.. numbers, new("c", ["c"], categories ? 60 : 0), new("d", ["d"], categories ? 12 : 0)];
        var layout = FeatureLayout.Indicators(slots);
        var vectors = Draw(rows, slots.Length, seed);
        var random = new Random(seed + 1);
        Row[] asRows = [.. vectors.Select(v => new Row { Features = Expand(layout, v), Label = Signal(v) + (random.NextDouble() * 4) > 5 })];
        var context = new MLContext(seed);
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, layout.Width);
        if (categories)
        {
            schema[nameof(Row.Features)].AddAnnotation(
                "CategoricalSlotRanges",
                new VBuffer<int>(layout.CategoricalRanges.Count, [.. layout.CategoricalRanges]),
                new VectorDataViewType(NumberDataViewType.Int32, layout.CategoricalRanges.Count / 2, 2));
        }

        var options = new LightGbmBinaryTrainer.Options { NumberOfIterations = 100, NumberOfLeaves = 31, NumberOfThreads = 1, UseCategoricalSplit = categories };
        var trained = context.BinaryClassification.Trainers.LightGbm(options).Fit(context.Data.LoadFromEnumerable(asRows.Take(TrainingRows), schema));
        var extracted = ModelExtractor.Extract(trained.Model, layout);
        var background = new ExplanationBackground(extracted.Predictor, slots);
        foreach (var vector in vectors.Take(TrainingRows))
            background.Add(vector);
        var pipeline = new PipelineDocument([.. slots.Select(s => new ModelInput(s.Name, FieldType.Float64, InputOrigin.Stored))], [], slots);
        return new KernelModel(
            vectors, asRows, ModelDocument.Create(ModelTask.Binary, pipeline, background.Apply(), extracted.Link, ["0", "1"]),
            context.Model.CreatePredictionEngine<Row, Scored>(trained, inputSchemaDefinition: schema));
    }

    // Every row differs from every other in its first number; one value in ten is missing.
    private static float[][] Draw(int rows, int width, int seed)
    {
        var random = new Random(seed);
        var vectors = new float[rows][];
        for (var r = 0; r < rows; r++)
        {
            var v = vectors[r] = new float[width];
            for (var i = 0; i < Numbers; i++)
                v[i] = i > 0 && random.Next(10) == 0 ? float.NaN : (float)(-Math.Log(1 - random.NextDouble()) * 3);
            v[0] = r * 10f / rows;
            (v[Numbers], v[Numbers + 1]) = (random.Next(60), random.Next(12));
        }

        return vectors;
    }

    private static double Signal(float[] v)
    {
        double sum = (v[0] / 2) + (v[Numbers] % 7 / 3) - (v[Numbers + 1] % 5 / 4);
        for (var i = 1; i < Numbers; i++)
            sum += float.IsNaN(v[i]) ? i % 3 * 0.3 : Math.Sin(v[i] + i) * (i % 4) / 2;
        return sum;
    }

    private static float[] Expand(FeatureLayout layout, float[] vector)
    {
        VBuffer<float> features = default;
        layout.Fill(vector, ref features);
        return [.. features.DenseValues()];
    }

    public sealed class Row
    {
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    public sealed class Scored
    {
        public float Score { get; set; }

        public float Probability { get; set; }
    }
}
