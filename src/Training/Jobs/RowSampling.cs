using StreamMl.Infrastructure.TrainingSets;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Sampling;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Evaluation;

namespace StreamMl.Training.Jobs;

/// <summary>The rows that a model is trained on.</summary>
/// <param name="Rows">Row numbers, ascending; a row may stand more than once.</param>
/// <param name="Weights">One each; null: all 1.</param>
/// <param name="Correction">What makes the probabilities right again where the share of positives was changed.</param>
internal sealed record SampledRows(int[] Rows, double[]? Weights, Calibrator? Correction);

/// <summary>Samples and weights the training part, and no other. Pure; decided by the seed.</summary>
internal static class RowSampling
{
    public static SampledRows Choose(TrainingSet set, int[] train, LabelColumn labels, TrainConfig config)
    {
        var rows = Sample(set, train, labels, config);
        var weights = config.Sampling.Kind == SamplingKind.TimeDecay ? Decayed(set, rows, config.Sampling.HalfLife) : null;
        return Balance(rows, weights, labels, config);
    }

    private static int[] Sample(TrainingSet set, int[] train, LabelColumn labels, TrainConfig config)
    {
        var (options, seed) = (config.Sampling, config.Seed);
        var size = Math.Max(1, (int)(train.Length * options.Share));
        switch (options.Kind)
        {
            case SamplingKind.Random:
                return Pick(train, Samples.Random(train.Length, size, seed));
            case SamplingKind.Stratified:
                return Pick(train, Samples.Stratified(Strata(set, train, labels, options.By), options.Share, seed));
            case SamplingKind.Cluster:
                var groups = Strata(set, train, labels, options.By);
                var sample = new ClusterSample(options.Share, seed);
                return [.. train.Where((_, i) => sample.Contains(groups[i]))];
            case SamplingKind.Reservoir:
                var reservoir = new Reservoir<int>(options.Size, seed);
                foreach (var row in train)
                    reservoir.Add(row);
                return [.. reservoir.Kept.Order()];
            case SamplingKind.Importance:
                var all = set.Numbers(set.RequireColumn(options.Weight!, "sampling.weight"));
                double[] weights = [.. train.Select(r => double.IsNaN(all[r]) ? 0 : all[r])];
                return Pick(train, Samples.ImportanceWeighted(weights, Math.Min(size, weights.Count(w => w > 0)), seed));
            default:
                return train;
        }
    }

    private static SampledRows Balance(int[] rows, double[]? weights, LabelColumn labels, TrainConfig config)
    {
        double[] values = [.. rows.Select(r => labels.Values[r])];
        switch (config.Imbalance.Kind)
        {
            case ImbalanceKind.ClassWeights:
                var classes = TaskMetrics.Ints(values);
                var balanced = RowWeights.OfClasses(classes, RowWeights.Balanced(classes));
                double[] both = weights is null ? balanced : [.. balanced.Zip(weights, (a, b) => a * b)];
                return new SampledRows(rows, both, config.Task == ModelTask.Binary ? Correction(values, both) : null);
            case ImbalanceKind.OverSample or ImbalanceKind.UnderSample:
                var bools = TaskMetrics.Bools(values);
                var resample = config.Imbalance.Kind == ImbalanceKind.OverSample
                    ? Resampling.OverSample(bools, config.Imbalance.Rate, config.Seed)
                    : Resampling.UnderSample(bools, config.Imbalance.Rate, config.Seed);
                return new SampledRows(Pick(rows, resample.Rows), weights is null ? null : [.. resample.Rows.Select(i => weights[i])], resample.Correction);
            default:
                return new SampledRows(rows, weights, null);
        }
    }

    /// <summary>Weights change the share of positives as sampling does.</summary>
    private static PriorShiftCalibrator? Correction(double[] labels, double[] weights)
    {
        double positives = 0, total = 0, rows = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            positives += labels[i] * weights[i];
            total += weights[i];
            rows += labels[i];
        }

        var (trainingRate, trueRate) = (positives / total, rows / labels.Length);
        return trueRate is > 0 and < 1 ? new PriorShiftCalibrator(trainingRate, trueRate) : null;
    }

    private static double[] Decayed(TrainingSet set, int[] rows, TimeSpan halfLife)
    {
        var times = set.Lanes(set.ColumnOfRole(ColumnRoles.Time), long.MinValue);
        long[] own = [.. rows.Select(r => times[r])];
        return RowWeights.TimeDecayed(own, own.Max(), halfLife);
    }

    private static int[] Strata(TrainingSet set, int[] rows, LabelColumn labels, IReadOnlyList<string> by)
    {
        if (by.Count == 0)
            return TaskMetrics.Ints([.. rows.Select(r => labels.Values[r])]);
        var groups = by.Select(c => ValueGroups.Of(set, set.RequireColumn(c, "sampling.by"), rows)).ToArray();
        var codes = new Dictionary<string, int>(StringComparer.Ordinal);
        var ids = new int[rows.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            var key = string.Join('\n', groups.Select(g => g.Names[g.Ids[i]]));
            if (!codes.TryGetValue(key, out ids[i]))
                codes.Add(key, ids[i] = codes.Count);
        }

        return ids;
    }

    private static int[] Pick(int[] rows, int[] indices) => Array.ConvertAll(indices, i => rows[i]);
}
