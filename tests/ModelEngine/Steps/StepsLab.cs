using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Time;

namespace StreamMl.ModelEngine.Tests.Steps;

/// <summary>Training rows in memory: values as CLR objects, null for missing.</summary>
internal sealed class MemoryRows(IReadOnlyList<ModelInput> inputs, IReadOnlyList<object?[]> rows, double[]? labels = null, double[]? weights = null) : ITrainingRows
{
    public IReadOnlyList<ModelInput> Inputs => inputs;

    public int Count => rows.Count;

    public int Passes { get; private set; }

    public long[]? FoldKeys { get; init; }

    public long FoldKey(int index) => FoldKeys is null ? index : FoldKeys[index];

    public ITrainingCursor Open()
    {
        Passes++;
        return new Cursor(this);
    }

    public FeatureRow Row(int index, IReadOnlyList<ModelInput>? order = null) => StepsLab.Row(order ?? inputs, name => rows[index][inputs.ToList().FindIndex(i => i.Name == name)]);

    private sealed class Cursor(MemoryRows owner) : ITrainingCursor
    {
        private int at = -1;

        public FeatureRow Row => owner.Row(at);

        public double Label => owner.Labels(at);

        public double Weight => owner.Weights(at);

        public bool Next() => ++at < owner.Count;

        public void Dispose()
        {
        }
    }

    private double Labels(int index) => labels is null ? 0 : labels[index];

    private double Weights(int index) => weights is null ? 1 : weights[index];
}

internal static class StepsLab
{
    public static readonly FitOptions Binary = new(ModelTask.Binary, Seed: 7);

    public static ModelInput Number(string name) => new(name, FieldType.Float64, InputOrigin.Stored);

    public static ModelInput Text(string name) => new(name, FieldType.String, InputOrigin.Request);

    public static ModelInput Time(string name) => new(name, FieldType.Timestamp, InputOrigin.Request);

    public static FeatureRow Row(IReadOnlyList<ModelInput> inputs, Func<string, object?> value)
    {
        var row = new FeatureRow(inputs.Count);
        for (var c = 0; c < inputs.Count; c++)
            Set(row, c, value(inputs[c].Name));
        return row;
    }

    public static FeatureRow Row(params object?[] values)
    {
        var row = new FeatureRow(values.Length);
        for (var c = 0; c < values.Length; c++)
            Set(row, c, values[c]);
        return row;
    }

    /// <summary>Fits one column of values by one step and gives what its slots are for another row of that column.</summary>
    public static float[] FitAndEncode(ModelInput input, StepDefinition step, object?[] values, object? value, double[]? labels = null) =>
        Encode(PipelineFitter.Fit(new PipelineDefinition(step), Column(input, values, labels), Binary).Pipeline, Row(value));

    public static MemoryRows Column(ModelInput input, object?[] values, double[]? labels = null) => new([input], [.. values.Select(v => new[] { v })], labels);

    public static float[] Encode(FittedPipeline pipeline, FeatureRow row)
    {
        var slots = new float[pipeline.Slots.Count];
        pipeline.Encode(row, slots, pipeline.NewScratch());
        return slots;
    }

    public static DateTime At(string iso) => DateTime.Parse(iso, null, System.Globalization.DateTimeStyles.AdjustToUniversal | System.Globalization.DateTimeStyles.AssumeUniversal);

    private static void Set(FeatureRow row, int column, object? value)
    {
        switch (value)
        {
            case null:
                row.SetNull(column);
                break;
            case string text:
                row.Set(column, System.Text.Encoding.UTF8.GetBytes(text));
                break;
            case double number:
                row.Set(column, number);
                break;
            case int number:
                row.Set(column, (double)number);
                break;
            case bool flag:
                row.Set(column, flag ? 1L : 0L);
                break;
            case DateTime time:
                row.Set(column, TimeGrid.FromDateTime(time));
                break;
            default:
                throw new ArgumentException($"no lane for {value}");
        }
    }
}
