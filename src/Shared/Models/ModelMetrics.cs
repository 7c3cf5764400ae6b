namespace StreamMl.Shared.Models;

/// <summary>A measured value.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="Low">Lower end of its 95% confidence interval; null where none was computed.</param>
/// <param name="High">Upper end.</param>
public sealed record MetricEstimate(double Value, double? Low = null, double? High = null);

/// <summary>A part of the training set: train, validation or test.</summary>
/// <param name="Name">Which.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="From">Time of its first row, ISO 8601; null where the split was not by time.</param>
/// <param name="To">Time of its last row.</param>
/// <param name="Metrics">By name: auc, prAuc, logLoss, brier, ece, rmse, ...</param>
public sealed record SplitMetrics(string Name, long Rows, string? From, string? To, IReadOnlyDictionary<string, MetricEstimate> Metrics);

/// <summary>Rows that share a value.</summary>
/// <param name="Column">The column that cuts: origin.</param>
/// <param name="Value">The value: JFK.</param>
/// <param name="Rows">Rows of the test part with it.</param>
/// <param name="Metrics">By name, as of a split.</param>
public sealed record SliceMetrics(string Column, string Value, long Rows, IReadOnlyDictionary<string, MetricEstimate> Metrics);

/// <summary>What the model is compared with.</summary>
/// <param name="Name">majority, rate by origin, ...</param>
/// <param name="Metrics">Its values on the test part.</param>
public sealed record BaselineMetrics(string Name, IReadOnlyDictionary<string, MetricEstimate> Metrics);

/// <summary>How much an input matters.</summary>
/// <param name="Input">Its name.</param>
/// <param name="Permutation">Loss of the main metric when its values are shuffled; null where not computed.</param>
/// <param name="Gain">Share of the trees' gain; null where not computed.</param>
public sealed record InputImportance(string Input, double? Permutation, double? Gain);

/// <summary>What was measured of a model: <c>metrics.json</c>. Deterministic: no times of the run are in it.</summary>
public sealed record ModelMetrics
{
    /// <summary>The metric by which models are compared, as auc; a higher value is better unless <see cref="LowerIsBetter"/>.</summary>
    public required string Main { get; init; }

    public bool LowerIsBetter { get; init; }

    public required IReadOnlyList<SplitMetrics> Splits { get; init; }

    public IReadOnlyList<BaselineMetrics> Baselines { get; init; } = [];

    public IReadOnlyList<SliceMetrics> Slices { get; init; } = [];

    public IReadOnlyList<InputImportance> Importance { get; init; } = [];

    /// <summary>The score from which the decision is yes, for a binary model.</summary>
    public double? Threshold { get; init; }

    public byte[] ToJson() => ModelJson.Write(this);

    public static ModelMetrics Parse(ReadOnlySpan<byte> json, string source) => ModelJson.Read<ModelMetrics>(json, source);
}
