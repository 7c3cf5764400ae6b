using System.Globalization;
using System.IO.Enumeration;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Steps;
using StreamMl.Training.Splits;
using StreamMl.Training.Trainers;

namespace StreamMl.Training.Configuration;

/// <summary>A sample, or weights, of the training part.</summary>
public enum SamplingKind
{
    None,
    Random,
    Stratified,
    Cluster,
    Reservoir,
    Importance,
    TimeDecay,
}

/// <param name="Share">Of rows (random, importance), of each stratum, of the entities (cluster); a reservoir's share is not read.</param>
/// <param name="Size">Rows of a reservoir.</param>
/// <param name="By">Columns of the strata (none: the label) or of the entity.</param>
/// <param name="Weight">Column with the chance of a row, kind importance.</param>
/// <param name="HalfLife">Age at which a row counts half, kind timeDecay.</param>
public sealed record SamplingOptions(SamplingKind Kind, double Share, int Size, IReadOnlyList<string> By, string? Weight, TimeSpan HalfLife)
{
    public static SamplingOptions None { get; } = new(SamplingKind.None, 1, 0, [], null, TimeSpan.Zero);
}

/// <summary>What is done about a class that is rare.</summary>
public enum ImbalanceKind
{
    None,
    ClassWeights,
    OverSample,
    UnderSample,
}

/// <param name="Rate">Share of positives that over- and under-sampling make.</param>
public sealed record ImbalanceOptions(ImbalanceKind Kind, double Rate)
{
    public static ImbalanceOptions None { get; } = new(ImbalanceKind.None, 0.5);
}

/// <summary>How probabilities are put right, on the validation part.</summary>
public enum CalibrationKind
{
    None,
    Platt,
    Isotonic,
}

/// <param name="Slices">Columns by whose values the test is looked at.</param>
/// <param name="Cost">What each decision costs; the threshold is chosen for it on the validation part.</param>
/// <param name="MinSliceRows">Slices with fewer test rows are left out. Default 100.</param>
/// <param name="PermutationRows">Rows of the test that permutation importance uses; 0: none is computed. Default 10,000.</param>
public sealed record EvaluateOptions(IReadOnlyList<string> Slices, CostMatrix Cost, int MinSliceRows, int PermutationRows)
{
    public static EvaluateOptions Default { get; } = new([], new CostMatrix(), 100, 10_000);
}

/// <summary>What a baseline predicts.</summary>
public enum BaselineKind
{
    /// <summary>The training part's rate, mean or most frequent class, for every row.</summary>
    Majority,

    /// <summary>The training part's rate by the value of a column, or by the hour of a time.</summary>
    RateBy,

    /// <summary>The last label of the same key that was known at the row's time.</summary>
    LastBy,
}

/// <param name="Name">As it was written.</param>
/// <param name="IsHour">Whether the column is a time whose hour counts.</param>
public sealed record BaselineDefinition(string Name, BaselineKind Kind, string? Column, bool IsHour);

public enum SearchMethod
{
    Random,
    Halving,
    Tpe,
}

/// <summary>Values that a search may give a trainer's parameter.</summary>
/// <param name="Choices">The values; empty: any between <paramref name="Low"/> and <paramref name="High"/>.</param>
/// <param name="IsLog">Whether it is drawn evenly on a logarithmic scale.</param>
public sealed record SearchDimension(string Parameter, IReadOnlyList<double> Choices, double Low, double High, bool IsLog, bool IsWhole);

/// <param name="Trials">Most trainings.</param>
/// <param name="Budget">Longest time; null: none.</param>
public sealed record SearchOptions(SearchMethod Method, int Trials, TimeSpan? Budget, IReadOnlyList<SearchDimension> Space);

public enum EnsembleKind
{
    /// <summary>The same trainer on samples of the rows, with replacement; raw scores are averaged.</summary>
    Bagging,

    /// <summary>Several trainers; raw scores are averaged with declared or fitted weights.</summary>
    Blend,

    /// <summary>Several trainers; a linear model of their raw scores, fitted on the validation part.</summary>
    Stack,
}

/// <param name="Members">Number of members, bagging.</param>
/// <param name="Share">Share of the rows that each member sees, bagging.</param>
/// <param name="Trainers">The members' trainers; empty: the configuration's own.</param>
/// <param name="Weights">Of a blend; empty: fitted on the validation part.</param>
public sealed record EnsembleOptions(EnsembleKind Kind, int Members, double Share, IReadOnlyList<TrainerDefinition> Trainers, IReadOnlyList<double> Weights);

/// <summary>Another choice of features to be trained and compared.</summary>
public sealed record VariantDefinition(string Name, IReadOnlyList<string> Include, IReadOnlyList<string> Exclude);

/// <summary>A training, as train.yaml declares it. Immutable.</summary>
public sealed record TrainConfig
{
    /// <summary>The whole file, which a model's lineage keeps.</summary>
    public required string Text { get; init; }

    public string? Service { get; init; }

    public string? Label { get; init; }

    public ModelTask Task { get; init; }

    /// <summary>Decides every draw. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Training threads; 0: cores - 1, at least 1.</summary>
    public int Threads { get; init; }

    public SplitOptions Split { get; init; } = new();

    /// <summary>Carried columns of a spine file that callers will give.</summary>
    public IReadOnlyList<string> Request { get; init; } = [];

    public PipelineDefinition Pipeline { get; init; } = PipelineDefinition.Empty;

    public SamplingOptions Sampling { get; init; } = SamplingOptions.None;

    public ImbalanceOptions Imbalance { get; init; } = ImbalanceOptions.None;

    public required TrainerDefinition Trainer { get; init; }

    public CalibrationKind Calibrate { get; init; }

    public EvaluateOptions Evaluate { get; init; } = EvaluateOptions.Default;

    public IReadOnlyList<BaselineDefinition> Baselines { get; init; } = [];

    public SearchOptions? Search { get; init; }

    public EnsembleOptions? Ensemble { get; init; }

    public IReadOnlyList<VariantDefinition> Variants { get; init; } = [];

    /// <summary>What people wrote for the model card, Markdown by section; sections that nobody wrote are named as missing in it.</summary>
    public IReadOnlyDictionary<string, string> Card { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The variant whose features this is, of <see cref="Of"/>; null: all features.</summary>
    public string? Variant { get; init; }

    /// <summary>
    /// The file's text under a comment that says what else was chosen: the seed, which the command line may have set, and the variant. The same for a text that has the
    /// comment already.
    /// </summary>
    public string TextAsRun()
    {
        const string mark = "# As run: ";
        var text = Text.StartsWith(mark, StringComparison.Ordinal) ? Text[(Text.IndexOf('\n', StringComparison.Ordinal) + 1)..] : Text;
        return string.Create(CultureInfo.InvariantCulture, $"{mark}seed {Seed}, {(Variant is null ? "no variant" : $"variant {Variant}")}\n{text}");
    }

    /// <summary>The configuration with a variant's features. Steps that name a column which the variant takes away do without it; a step of nothing else is left out.</summary>
    public TrainConfig Of(VariantDefinition variant)
    {
        bool Stays(string column) =>
            !variant.Exclude.Any(g => FileSystemName.MatchesSimpleExpression(g, column, ignoreCase: false))
            && (variant.Include.Count == 0 || !column.Contains('.', StringComparison.Ordinal) || variant.Include.Any(g => FileSystemName.MatchesSimpleExpression(g, column, ignoreCase: false)));
        return this with
        {
            Variant = variant.Name,
            Pipeline = new PipelineDefinition(
                variant.Include.Count > 0 ? variant.Include : Pipeline.Include,
                [.. Pipeline.Exclude, .. variant.Exclude],
                [.. Pipeline.Steps.Select(s => s with { Columns = [.. s.Columns.Where(Stays)] }).Where(s => s.Columns.Count > 0)]),
        };
    }
}
