using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Metrics;
using StreamMl.Shared.Models;

namespace StreamMl.Training.Evaluation;

/// <summary>The metrics of a task, by name. Pure.</summary>
/// <param name="Classes">Number of classes of a multiclass task.</param>
internal sealed record TaskMetrics(ModelTask Task, int Classes)
{
    private const int Replicates = 200;
    private const double Level = 0.95;

    /// <summary>The metric by which models are compared.</summary>
    public string Main => Task switch
    {
        ModelTask.Binary => "auc",
        ModelTask.Multiclass => "logLoss",
        _ => "rmse",
    };

    public bool LowerIsBetter => Task != ModelTask.Binary;

    /// <summary>The main metric so that more is better.</summary>
    public double Quality(double[] scores, double[] labels) => Task switch
    {
        ModelTask.Binary => RankingMetrics.RocAuc(scores, Bools(labels)),
        ModelTask.Multiclass => -MulticlassMetrics.LogLoss(scores, Ints(labels), Classes),
        _ => -RegressionMetrics.RootMeanSquaredError(scores, labels),
    };

    /// <summary>All metrics that the rows tell.</summary>
    public IReadOnlyDictionary<string, MetricEstimate> Of(double[] scores, double[] labels) => Task switch
    {
        ModelTask.Binary => Binary(BinaryEvaluation.Of(scores, Bools(labels), level: Level)),
        ModelTask.Multiclass => Multiclass(MulticlassEvaluation.Of(scores, Ints(labels), Classes)),
        _ => Regression(scores, labels),
    };

    /// <summary>A name for people.</summary>
    public static string Title(string metric) => metric switch
    {
        "auc" => "ROC-AUC",
        "prAuc" => "PR-AUC",
        "logLoss" => "Log loss",
        "brier" => "Brier score",
        "ece" => "ECE",
        "eceEqualMass" => "ECE, bins of equal mass",
        "rate" => "Share of positives",
        "meanScore" => "Mean score",
        "accuracy" => "Accuracy",
        "macroF1" => "F1, mean of classes",
        "macroAuc" => "ROC-AUC, mean of classes",
        "microAuc" => "ROC-AUC, all decisions",
        "mae" => "Mean absolute error",
        "rmse" => "Root mean squared error",
        "bias" => "Bias",
        "r2" => "R²",
        "mape" => "Mean absolute percentage error",
        _ => metric,
    };

    public static bool[] Bools(double[] labels) => Array.ConvertAll(labels, l => l == 1);

    public static int[] Ints(double[] labels) => Array.ConvertAll(labels, l => (int)l);

    private static SortedDictionary<string, MetricEstimate> Binary(BinaryEvaluation e)
    {
        var metrics = Known([("prAuc", e.AveragePrecision), ("logLoss", e.LogLoss), ("brier", e.Brier), ("ece", e.Ece), ("eceEqualMass", e.EceEqualMass), ("rate", e.Rate), ("meanScore", e.MeanScore)]);
        if (e.Auc is { } auc)
            metrics["auc"] = new MetricEstimate(auc.Value, auc.Low, auc.High);
        return metrics;
    }

    private static SortedDictionary<string, MetricEstimate> Multiclass(MulticlassEvaluation e) =>
        Known([("accuracy", e.Accuracy), ("logLoss", e.LogLoss), ("macroF1", e.MacroF1), ("macroAuc", e.MacroAuc), ("microAuc", e.MicroAuc)]);

    private static SortedDictionary<string, MetricEstimate> Regression(double[] scores, double[] labels)
    {
        var e = RegressionEvaluation.Of(scores, labels);
        var metrics = Known([("mae", e.MeanAbsoluteError), ("bias", e.Bias), ("r2", e.RSquared), ("mape", e.MeanAbsolutePercentageError)]);
        if (e.RootMeanSquaredError is null)
            return metrics;
        var interval = Bootstrap.Percentile(labels.Length, w => RegressionMetrics.RootMeanSquaredError(scores, labels, w), replicates: Replicates, level: Level, seed: 0);
        metrics["rmse"] = new MetricEstimate(interval.Value, interval.Low, interval.High);
        return metrics;
    }

    private static SortedDictionary<string, MetricEstimate> Known(IEnumerable<(string Name, double? Value)> values) =>
        new(values.Where(v => v.Value is not null).ToDictionary(v => v.Name, v => new MetricEstimate(v.Value!.Value), StringComparer.Ordinal), StringComparer.Ordinal);
}
