using StreamMl.ModelEngine.Scoring;
using StreamMl.Shared.Models;
using StreamMl.Training.Ensembles;
using StreamMl.Training.Evaluation;
using StreamMl.Training.Search;

namespace StreamMl.Training.Jobs;

/// <summary>A training that is done. Immutable.</summary>
public sealed record TrainedRun
{
    internal TrainedRun(TrainingData data, FittedPredictor fitted, EvaluatedModel evaluation) => (Data, Fitted, Evaluation) = (data, fitted, evaluation);

    public ModelMetrics Metrics => Evaluation.Metrics;

    public required ScoringModel Model { get; init; }

    /// <summary>Greatest difference between ML.NET's own scores and ours on the test part; null of an ensemble, which ML.NET does not have.</summary>
    public required double? MlNetDifference { get; init; }

    /// <summary>What a search tried, in order.</summary>
    public required IReadOnlyList<Trial> Trials { get; init; }

    /// <summary>What to know before using the model.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    public required IReadOnlyDictionary<string, TimeSpan> Timings { get; init; }

    public required string? GitCommit { get; init; }

    /// <summary>What was trained, for people.</summary>
    public string Description => Fitted.Description;

    /// <summary>Rows in no part of the split, by reason.</summary>
    public IReadOnlyDictionary<string, long> LeftOut => Data.Split.LeftOut;

    internal TrainingData Data { get; }

    internal FittedPredictor Fitted { get; }

    internal EvaluatedModel Evaluation { get; }
}
