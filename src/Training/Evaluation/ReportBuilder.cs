using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Metrics;
using StreamMl.Shared.Models;
using StreamMl.Training.Jobs;
using StreamMl.Training.Reports;
using StreamMl.Training.Splits;

namespace StreamMl.Training.Evaluation;

/// <summary>From a finished run to the figures of its report. Pure.</summary>
internal static class ReportBuilder
{
    private const int MaxCurvePoints = 300;
    private const int Bins = 20;
    private const int MaxImportances = 40;

    public static TrainingReport Build(TrainedRun run, string model)
    {
        var (data, metrics) = (run.Data, run.Evaluation.Metrics);
        var report = new TrainingReport
        {
            Model = model,
            Service = data.Set.Manifest.Service,
            Task = data.Config.Task.ToString(),
            Label = data.Set.Manifest.Label ?? data.Labels.Name,
            Trainer = run.Fitted.Description,
            Parts = [.. data.Split.Parts.Select(p => Part(p, data))],
            Metrics = Metrics(metrics.Splits[^1].Metrics, metrics.Main),
            Baselines = [.. metrics.Baselines.Select(b => new ReportBaseline(b.Name, Metrics(b.Metrics, metrics.Main)))],
            Slices = [.. metrics.Slices.Select(s => new ReportSlice(s.Column, s.Value, s.Rows, Metrics(s.Metrics, metrics.Main)))],
            Permutation = [.. metrics.Importance.Where(i => i.Permutation is not null).OrderByDescending(i => i.Permutation).Take(MaxImportances).Select(i => new ReportImportance(i.Input, i.Permutation!.Value))],
            Gain = [.. metrics.Importance.Where(i => i.Gain is not null).OrderByDescending(i => i.Gain).Take(MaxImportances).Select(i => new ReportImportance(i.Input, i.Gain!.Value))],
            Warnings = run.Warnings,
            Parameters = new SortedDictionary<string, string>(run.Parameters.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
            Lineage = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["training set manifest"] = data.Set.ManifestHash,
                ["service definition"] = data.Set.Manifest.ServiceHash,
                ["seed"] = data.Config.Seed.ToString(),
                ["git commit"] = run.GitCommit ?? "none",
            },
        };
        return data.Config.Task == ModelTask.Binary ? WithCurves(report, run) : report;
    }

    private static TrainingReport WithCurves(TrainingReport report, TrainedRun run)
    {
        var (scores, labels) = (run.Evaluation.TestScores, TaskMetrics.Bools(run.Evaluation.TestLabels));
        var groups = ScoreGroups.Of(scores, labels);
        var (threshold, cost) = (run.Model.DecisionThreshold, run.Data.Config.Evaluate.Cost);
        var confusion = ConfusionMatrix.At(threshold, scores, labels);
        return report with
        {
            Roc = Thinned(RankingMetrics.RocCurve(groups)),
            PrecisionRecall = Thinned(RankingMetrics.PrecisionRecallCurve(groups)),
            Calibration = [.. ProbabilityMetrics.CalibrationCurve(scores, labels, kind: BinKind.EqualMass).Select(b => new ReportCalibrationBin(b.MeanScore, b.Rate, (long)b.Weight))],
            Scores = Histogram(scores, labels),
            Confusion = new ReportConfusion(
                threshold, (long)confusion.TruePositives, (long)confusion.FalsePositives, (long)confusion.TrueNegatives, (long)confusion.FalseNegatives, cost.FalsePositive, cost.FalseNegative),
        };
    }

    private static ReportPart Part(SplitPart part, TrainingData data) => new(
        part.Name, part.FromUs ?? 0, part.ToUs ?? 0, part.Rows.Length, data.Config.Task == ModelTask.Multiclass ? null : part.Rows.Average(r => data.Labels.Values[r]));

    private static IReadOnlyList<ReportMetric> Metrics(IReadOnlyDictionary<string, MetricEstimate> metrics, string main) =>
        [.. metrics.OrderBy(m => m.Key == main ? 0 : 1).ThenBy(m => m.Key, StringComparer.Ordinal).Select(m => new ReportMetric(TaskMetrics.Title(m.Key), m.Value.Value, m.Value.Low, m.Value.High))];

    private static List<ReportPoint> Thinned(IReadOnlyList<CurvePoint> points)
    {
        var every = Math.Max(1, points.Count / MaxCurvePoints);
        return [.. points.Where((_, i) => i % every == 0 || i == points.Count - 1).Select(p => new ReportPoint(p.X, p.Y))];
    }

    private static ReportHistogramBin[] Histogram(double[] scores, bool[] labels)
    {
        var (positives, negatives) = (new long[Bins], new long[Bins]);
        for (var i = 0; i < scores.Length; i++)
        {
            var bin = Math.Clamp((int)(scores[i] * Bins), 0, Bins - 1);
            _ = labels[i] ? positives[bin]++ : negatives[bin]++;
        }

        return [.. Enumerable.Range(0, Bins).Select(b => new ReportHistogramBin((double)b / Bins, (b + 1.0) / Bins, positives[b], negatives[b]))];
    }
}
