using System.Globalization;
using StreamMl.ModelEngine;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Ensembles;
using StreamMl.Training.Evaluation;
using StreamMl.Training.Search;
using StreamMl.Training.Trainers;

namespace StreamMl.Training.Jobs;

/// <summary>
/// A whole training: split, fit the steps, search, train, calibrate, evaluate. The same set, configuration, seed and number of threads give the same model to the byte.
/// One use; not thread-safe.
/// </summary>
/// <param name="progress">Takes lines for people.</param>
public sealed class TrainingJob(TimeProvider time, Action<string> progress)
{
    private readonly SortedDictionary<string, TimeSpan> timings = new(StringComparer.Ordinal);

    /// <param name="set">Must live until the run has been published.</param>
    /// <param name="label">The label's column; null: the configuration's, or the set's own.</param>
    /// <param name="gitCommit">Goes into the report.</param>
    /// <exception cref="TrainingException">Configuration and set do not fit.</exception>
    /// <exception cref="ModelEngine.Steps.PipelineException">The steps do not fit the set.</exception>
    public TrainedRun Run(TrainingSet set, TrainConfig config, string? label = null, string? gitCommit = null)
    {
        Check(set, config);
        var name = label ?? config.Label ?? OwnLabel(set);
        var data = Timed("prepare", () => TrainingData.Prepare(set, config, name, progress));
        foreach (var part in data.Split.Parts)
            progress($"{part.Name}: {part.Rows.Length:N0} rows");
        var context = new TrainingContext(config.Task, data.Classes, config.Seed, config.Threads > 0 ? config.Threads : TrainingContext.DefaultThreads);
        var trials = config.Search is null ? [] : Timed("search", () => Search(data, context));
        var trainer = trials.Count == 0 ? config.Trainer : config.Trainer.With(ParameterSearch.Best(trials).Parameters);
        progress($"training {trainer} on {data.Train.Count:N0} rows x {data.Train.Slots.Count} slots, {context.Threads} thread{(context.Threads == 1 ? "" : "s")}");
        var fitted = Timed("train", () => EnsembleTrainer.Train(data, trainer, context, progress));
        var difference = fitted.Single is null ? (double?)null : Timed("compare", () => Difference(data, fitted));
        var model = Timed("calibrate", () => ModelAssembly.Finish(data, fitted));
        var evaluation = Timed("evaluate", () => ModelEvaluator.Evaluate(data, model, fitted, progress));
        return new TrainedRun(data, fitted, evaluation)
        {
            Model = model,
            MlNetDifference = difference,
            Trials = trials,
            Warnings = data.Split.Warnings,
            Parameters = Parameters(config, trainer, data, context),
            Timings = timings,
            GitCommit = gitCommit,
        };
    }

    private IReadOnlyList<Trial> Search(TrainingData data, TrainingContext context)
    {
        var metrics = new TaskMetrics(context.Task, context.Classes);
        var labels = data.Validation.Labels();
        // Of a tree trainer a part of the full training is fewer trees, of a linear one fewer iterations.
        var resource = data.Config.Trainer.Kind.Find("trees") is null ? "iterations" : "trees";
        double Quality(IReadOnlyDictionary<string, double> point, double share)
        {
            var trainer = data.Config.Trainer.With(point);
            if (share < 1)
                trainer = trainer.With(new Dictionary<string, double>(StringComparer.Ordinal) { [resource] = Math.Max(1, Math.Round(trainer[resource] * share)) });
            var fitted = FittedPredictor.Of(ModelTrainer.Train(trainer, data.Train, data.Validation, context), trainer);
            var scores = fitted.Link == ModelEngine.Scoring.ModelLink.Identity && context.Task == ModelTask.Binary
                ? ModelScores.RawOf(ModelAssembly.Uncalibrated(data, fitted), data.Validation)
                : ModelScores.Of(ModelAssembly.Uncalibrated(data, fitted), data.Validation);
            return metrics.Quality(scores, labels);
        }

        return new ParameterSearch(data.Config.Search!, context.Seed, time, Quality, t => progress($"trial {t.Number}: {metrics.Main} {Math.Abs(t.Quality):F5} {string.Join(", ", t.Parameters.Select(p => $"{p.Key} {p.Value:G5}"))}{(t.Share < 1 ? $" (a {t.Share:P0} training)" : "")}")).Run();
    }

    /// <summary>Our scores against ML.NET's own, before calibration, on the test part.</summary>
    private static double Difference(TrainingData data, FittedPredictor fitted)
    {
        var theirs = fitted.Single!.MlNetScores(data.Test);
        var model = ModelAssembly.Uncalibrated(data, fitted);
        var ours = fitted.Link == ModelEngine.Scoring.ModelLink.Identity ? ModelScores.RawOf(model, data.Test) : ModelScores.Of(model, data.Test);
        var worst = 0.0;
        for (var i = 0; i < ours.Length; i++)
            worst = Math.Max(worst, Math.Abs(ours[i] - theirs[i]) / Math.Max(1, Math.Abs(theirs[i])));
        const double Limit = 1e-4;
        return worst <= Limit
            ? worst
            : throw new TrainingException($"the model that was taken out of ML.NET's scores up to {worst:G3} otherwise than ML.NET does (limit {Limit}): do not use it, and report the configuration as a fault of this program");
    }

    private static void Check(TrainingSet set, TrainConfig config)
    {
        if (config.Service is { } service && service != set.Manifest.Service)
            throw new TrainingException($"the configuration is for service '{service}' and the training set in {set.Directory} has the features of '{set.Manifest.Service}': name the other set by --data, or correct `service:`");
    }

    private static string OwnLabel(TrainingSet set) => set.ColumnOfRole(Infrastructure.TrainingSets.ColumnRoles.Label) is >= 0 and var column
        ? set.Manifest.Columns[column].Name
        : throw new TrainingException("no label is named: write `label: COLUMN` into the configuration, or give --label COLUMN");

    private static SortedDictionary<string, string> Parameters(TrainConfig config, TrainerDefinition trainer, TrainingData data, TrainingContext context)
    {
        var parameters = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["task"] = config.Task.ToString().ToLowerInvariant(),
            ["trainer"] = trainer.Kind.Name,
            ["label"] = data.Labels.Name,
            ["threads"] = context.Threads.ToString(CultureInfo.InvariantCulture),
            ["split"] = config.Split.Kind.ToString().ToLowerInvariant(),
            ["calibrate"] = config.Calibrate.ToString().ToLowerInvariant(),
            ["sampling"] = config.Sampling.Kind.ToString().ToLowerInvariant(),
            ["imbalance"] = config.Imbalance.Kind.ToString().ToLowerInvariant(),
            ["ensemble"] = config.Ensemble?.Kind.ToString().ToLowerInvariant() ?? "none",
            ["inputs"] = data.Pipeline.Inputs.Count.ToString(CultureInfo.InvariantCulture),
            ["slots"] = data.Pipeline.Slots.Count.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var (name, value) in trainer.All())
            parameters[$"trainer.{name}"] = value.ToString("R", CultureInfo.InvariantCulture);
        return parameters;
    }

    private T Timed<T>(string phase, Func<T> work)
    {
        var started = time.GetTimestamp();
        var result = work();
        timings[phase] = time.GetElapsedTime(started);
        return result;
    }
}
