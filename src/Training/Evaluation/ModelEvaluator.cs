using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Scoring;
using StreamMl.Shared.Models;
using StreamMl.Shared.Time;
using StreamMl.Training.Data;
using StreamMl.Training.Ensembles;
using StreamMl.Training.Jobs;
using StreamMl.Training.Splits;
using StreamMl.Training.Vectors;

namespace StreamMl.Training.Evaluation;

/// <summary>What was measured of a model, and the test scores that it was measured on.</summary>
internal sealed record EvaluatedModel(ModelMetrics Metrics, double[] TestScores, double[] TestLabels);

/// <summary>Measures a finished model on every part, beside the baselines, by slice, and input by input. Pure; decided by the seed.</summary>
internal static class ModelEvaluator
{
    public static EvaluatedModel Evaluate(TrainingData data, ScoringModel model, FittedPredictor fitted, Action<string> progress)
    {
        var metrics = new TaskMetrics(data.Config.Task, data.Classes);
        progress("scoring the parts");
        var (scores, labels) = (ModelScores.Of(model, data.Test), data.Test.Labels());
        var splits = new List<SplitMetrics>
        {
            Split(data.Split.Train, data.Train, ModelScores.Of(model, data.Train), metrics),
            Split(data.Split.Validation, data.Validation, ModelScores.Of(model, data.Validation), metrics),
            Split(data.Split.Test, data.Test, scores, metrics),
        };
        progress("baselines, slices, importance");
        return new EvaluatedModel(
            new ModelMetrics
            {
                Main = metrics.Main,
                LowerIsBetter = metrics.LowerIsBetter,
                Splits = splits,
                Baselines = [.. data.Config.Baselines.Select(b => new BaselineMetrics(b.Name, metrics.Of(Baselines.Score(b, data.Set, data.Labels, data.Split.Train.Rows, data.Split.Test.Rows, metrics), labels)))],
                Slices = [.. data.Config.Evaluate.Slices.SelectMany(c => Slices(data, c, scores, labels, metrics))],
                Importance = Importance(data, model, fitted, metrics),
                Threshold = data.Config.Task == ModelTask.Binary ? model.DecisionThreshold : null,
            },
            scores, labels);
    }

    private static SplitMetrics Split(SplitPart part, SlotSource source, double[] scores, TaskMetrics metrics) => new(
        part.Name, source.Count, Text(part.FromUs), Text(part.ToUs), metrics.Of(scores, source.Labels()));

    private static IEnumerable<SliceMetrics> Slices(TrainingData data, string column, double[] scores, double[] labels, TaskMetrics metrics)
    {
        var groups = ValueGroups.Of(data.Set, data.Set.RequireColumn(column, "evaluate.slices"), data.Split.Test.Rows);
        var width = scores.Length / Math.Max(1, labels.Length);
        var slices = ModelEngine.Metrics.Slices.Evaluate(
            groups.Ids, groups.Names,
            rows => new SliceMetrics(column, "", rows.Length, metrics.Of([.. rows.SelectMany(r => scores.Skip(r * width).Take(width))], [.. rows.Select(r => labels[r])])),
            data.Config.Evaluate.MinSliceRows);
        return slices.OrderBy(s => s.Slice, StringComparer.Ordinal).Select(s => s.Evaluation with { Value = s.Slice });
    }

    private static List<InputImportance> Importance(TrainingData data, ScoringModel model, FittedPredictor fitted, TaskMetrics metrics)
    {
        var size = Math.Min(data.Config.Evaluate.PermutationRows, data.Split.Test.Rows.Length);
        var sample = Samples.Random(data.Split.Test.Rows.Length, size, data.Config.Seed);
        int[] rows = [.. sample.Select(i => data.Split.Test.Rows[i])];
        var permutation = size == 0 ? null : PermutationImportance.Of(model, data.Set, rows, [.. rows.Select(r => data.Labels.Values[r])], metrics, data.Config.Seed);
        var gain = GainByInput(model, fitted.Gain);
        return
        [
            .. model.Inputs.Select((input, i) => new InputImportance(input.Name, permutation?[i], gain?[i]))
                .OrderByDescending(i => i.Permutation ?? i.Gain ?? 0).ThenBy(i => i.Input, StringComparer.Ordinal),
        ];
    }

    /// <summary>A slot's share belongs to the inputs that it is computed from, in equal parts.</summary>
    private static double[]? GainByInput(ScoringModel model, IReadOnlyList<double> gains)
    {
        var total = gains.Sum();
        if (!(total > 0))
            return null;
        var places = model.Inputs.Select((input, i) => (input.Name, i)).ToDictionary(p => p.Name, p => p.i, StringComparer.Ordinal);
        var shares = new double[model.Inputs.Count];
        for (var s = 0; s < gains.Count; s++)
        {
            foreach (var source in model.Slots[s].Sources)
                shares[places[source]] += gains[s] / total / model.Slots[s].Sources.Count;
        }

        return shares;
    }

    private static string? Text(long? timeUs) => timeUs is { } t ? TimeGrid.Format(t) : null;
}
