using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Tests.Trees;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Tests.Scoring;

/// <summary>Models over <see cref="RandomTrees.Slots"/>, whose inputs are numbers a, b, d and categories c, e.</summary>
internal static class TestModels
{
    public static PipelineDocument Pipeline { get; } = new(
        [.. RandomTrees.Slots.Select(s => new ModelInput(s.Name, FieldType.Float64, InputOrigin.Stored))], [], RandomTrees.Slots);

    public static ModelDocument Trees(ModelTask task, int seed = 1, Calibrator? calibration = null)
    {
        var random = new Random(seed);
        var outputs = task == ModelTask.Multiclass ? 3 : 1;
        return Of(task, new TreePredictor([.. Enumerable.Range(0, outputs).Select(_ => RandomTrees.Ensemble(random, 12, 16))]), calibration);
    }

    public static ModelDocument Of(ModelTask task, Predictor predictor, Calibrator? calibration = null) => ModelDocument.Create(
        task,
        Pipeline,
        predictor,
        task switch { ModelTask.Binary => ModelLink.Sigmoid, ModelTask.Multiclass => ModelLink.Softmax, _ => ModelLink.Identity },
        task switch { ModelTask.Binary => ["no", "yes"], ModelTask.Multiclass => ["a", "b", "c"], _ => [] },
        calibration: calibration);

    public static LinearPredictor Linear(int outputs = 1) => new([.. Enumerable.Range(0, outputs).Select(k =>
        new LinearFunction(0.25 + k, [0, 1, 3], [0.5, -1.25 * (k + 1), 0.1], [0.2, 0.4, -0.3]))]);

    /// <summary>A row of numbers; NaN is a null.</summary>
    public static FeatureRow Row(params float[] values)
    {
        var row = new FeatureRow(values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            if (float.IsNaN(values[i]))
                row.SetNull(i);
            else
                row.Set(i, (double)values[i]);
        }

        return row;
    }
}
