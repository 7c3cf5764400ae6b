using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamMl.Training.Reports;

/// <summary>
/// What a training run found, as figures: the JSON beside the model, and what <see cref="HtmlReport"/> draws. Empty lists leave their section out. Immutable.
/// </summary>
public sealed record TrainingReport
{
    /// <summary>Version of this file's form.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    public required string Service { get; init; }

    /// <summary>Binary, Multiclass or Regression.</summary>
    public required string Task { get; init; }

    public required string Label { get; init; }

    /// <summary>What the trainer is: <c>lightgbm, 200 trees x 31 leaves</c>.</summary>
    public required string Trainer { get; init; }

    public IReadOnlyList<ReportPart> Parts { get; init; } = [];

    /// <summary>On the test part, the most important first.</summary>
    public IReadOnlyList<ReportMetric> Metrics { get; init; } = [];

    public IReadOnlyList<ReportBaseline> Baselines { get; init; } = [];

    /// <summary>False positive rate against true positive rate, ascending; a few hundred points at most.</summary>
    public IReadOnlyList<ReportPoint> Roc { get; init; } = [];

    /// <summary>Recall against precision, ascending in recall.</summary>
    public IReadOnlyList<ReportPoint> PrecisionRecall { get; init; } = [];

    /// <summary>Mean score of a bin against the share of positives in it.</summary>
    public IReadOnlyList<ReportCalibrationBin> Calibration { get; init; } = [];

    public IReadOnlyList<ReportHistogramBin> Scores { get; init; } = [];

    public ReportConfusion? Confusion { get; init; }

    /// <summary>How much the metric falls when an input is shuffled, greatest first.</summary>
    public IReadOnlyList<ReportImportance> Permutation { get; init; } = [];

    /// <summary>Gain of the splits on a slot, greatest first, as shares of all gain.</summary>
    public IReadOnlyList<ReportImportance> Gain { get; init; } = [];

    public IReadOnlyList<ReportSlice> Slices { get; init; } = [];

    /// <summary>What a reader must know before using the model.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Parameters of the run, in order.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>What it was made from: hashes, commit, seed.</summary>
    public IReadOnlyDictionary<string, string> Lineage { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The same report gives the same bytes.</summary>
    public byte[] ToJson() => [.. JsonSerializer.SerializeToUtf8Bytes(this, Json), (byte)'\n'];

    /// <exception cref="JsonException">Not such a report.</exception>
    public static TrainingReport FromJson(ReadOnlySpan<byte> utf8) => JsonSerializer.Deserialize<TrainingReport>(utf8, Json) ?? throw new JsonException("the report is empty");
}

/// <summary>A part of the split.</summary>
/// <param name="Name">train, validation, test, gap.</param>
/// <param name="FromUs">Time of its first row, microseconds since the epoch.</param>
/// <param name="ToUs">Time of its last row.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="LabelMean">Mean label: the share of positives of a binary one; null where there is no number to say it.</param>
public sealed record ReportPart(string Name, long FromUs, long ToUs, long Rows, double? LabelMean);

/// <summary>A metric with its interval, where one was computed.</summary>
/// <param name="Name">As it is known: ROC-AUC, log loss, ECE.</param>
/// <param name="Value">Its value.</param>
/// <param name="Low">Lower end of the 95% interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Note">How to read it.</param>
public sealed record ReportMetric(string Name, double Value, double? Low = null, double? High = null, string? Note = null);

/// <summary>What a simple rule reaches on the same rows.</summary>
public sealed record ReportBaseline(string Name, IReadOnlyList<ReportMetric> Metrics);

public readonly record struct ReportPoint(double X, double Y);

/// <param name="MeanScore">Of its rows.</param>
/// <param name="Observed">Share of positives.</param>
/// <param name="Rows">Rows in it.</param>
public readonly record struct ReportCalibrationBin(double MeanScore, double Observed, long Rows);

/// <param name="From">Lower edge.</param>
/// <param name="To">Upper edge.</param>
/// <param name="Positives">Rows whose label is 1; for a regression all rows.</param>
/// <param name="Negatives">Rows whose label is 0.</param>
public readonly record struct ReportHistogramBin(double From, double To, long Positives, long Negatives);

/// <param name="Threshold">A score from here on is decided as positive.</param>
/// <param name="FalsePositiveCost">Declared cost of deciding positive wrongly.</param>
/// <param name="FalseNegativeCost">Declared cost of deciding negative wrongly.</param>
public sealed record ReportConfusion(
    double Threshold, long TruePositives, long FalsePositives, long TrueNegatives, long FalseNegatives, double FalsePositiveCost, double FalseNegativeCost);

/// <param name="Name">Input or slot.</param>
/// <param name="Value">Its importance.</param>
/// <param name="Spread">Standard deviation over repeats; null where there was one.</param>
public sealed record ReportImportance(string Name, double Value, double? Spread = null);

/// <param name="Column">What the rows are grouped by.</param>
/// <param name="Value">The group.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="Metrics">Of these rows.</param>
public sealed record ReportSlice(string Column, string Value, long Rows, IReadOnlyList<ReportMetric> Metrics);
