using System.Collections.Concurrent;
using System.Globalization;
using StreamMl.BatchBackfill;
using StreamMl.Cli.Commands;
using StreamMl.Cli.Explaining;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.ModelEngine.Metrics;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Models;
using StreamMl.Shared.Time;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Jobs;

namespace StreamMl.Cli.Demo;

/// <summary>The demo's models: trained on history, measured on what was served, beside one that is trained on the usual mistake.</summary>
internal sealed class DemoModels(DemoOptions options, Installation installation, Catalog catalog, string sample, DemoScreen screen)
{
    public const string Label = "late: arr_delay > 15 from landings on flight_id";

    private const string LabelColumn = "late";
    private const string Champion = "late";
    private const string Leaky = "late_leaky";

    /// <summary>The end of history, which the models are calibrated on.</summary>
    private static readonly TimeSpan HeldBack = TimeSpan.FromDays(30);

    /// <summary>The last of it, which they are measured on before one of them serves.</summary>
    private static readonly TimeSpan Measured = TimeSpan.FromDays(3);

    private static readonly DateTime TrainFrom = new(2013, 2, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly ModelStore store = ModelStore.In(options.Directory, TimeProvider.System);
    private readonly ConcurrentDictionary<string, ModelVersion> versions = new(StringComparer.Ordinal);
    private string lastPrediction = "";
    private long trainingRows;

    private HistoryFile LeakyHistory => new("landings", PathOf("leaky-landings.arrow"));

    private ArchiveLayout Archive => new(installation.Options.ArchiveDirectory);

    /// <summary>Backfills a training set of history and trains the champion, and two models that see less.</summary>
    public async Task TrainAsync(CancellationToken stop)
    {
        screen.Heading("Training set: one row a flight, the same features from the archive, each as it was known half an hour before departure");
        var manifest = await BackfillAsync("training", TrainFrom, options.LiveFrom, [], stop);
        trainingRows = manifest.Rows;
        BackfillCommand.Print(manifest, PathOf("training"));

        screen.Heading($"Champion: trained up to {Day(options.LiveFrom - HeldBack)}, calibrated on what came then, measured on the last {Measured.TotalDays:F0} days; beside it two models that see less");
        using var set = TrainingSet.Open(PathOf("training"));
        var config = Config();
        // One core each: a training takes one thread.
        var others = Task.Run(() => TrainVariantsAsync(config, stop), stop);
        var run = await TrainAsync(set, config, Champion, ModelNames.Champion, line => screen.Progress(line), stop);
        await others;
        screen.EndProgress();
        var test = run.Run.Metrics.Splits[^1];
        DemoScreen.Line($"  {run.Run.Description}, {run.Run.Model.Inputs.Count} inputs; {test.Rows:N0} flights of {test.From} to {test.To}: {string.Join(", ", test.Metrics.Take(4).Select(m => $"{m.Key} {Text(m.Value.Value)}"))}");
        DemoScreen.Line($"  registered {run.Model} as {ModelNames.Champion}; its report: {PathOf(Path.Combine("models", Champion, run.Model!.Value.Version, ModelFiles.Report))}");
    }

    /// <summary>Backfills the served flights at the positions that were served, scores them again, and compares with what was written online.</summary>
    public async Task<DemoEvaluation> EvaluateAsync(CancellationToken stop)
    {
        screen.Heading("Evaluation: the served flights backfilled at the positions that were read, and scored again");
        var beside = Task.Run(() => EvaluateBesideAsync(stop), stop);
        var manifest = await BackfillAsync("live", options.LiveFrom, options.Until, [], stop, served: options.Directory);
        BackfillCommand.Print(manifest, PathOf("live"));
        var (online, last) = await ServedScores.ReadAsync(Archive, DemoRun.Service, ModelNames.Champion);
        lastPrediction = last;
        var offline = Score(Champion, "live", stop);
        var (scores, labels, compared, differing) = Compare(online, offline);
        var (realTime, leaky) = await beside;
        var auc = new DemoAuc(
            RateBaseline.Auc(PathOf("training"), PathOf("live"), LabelColumn, "origin", hour: false), RateBaseline.Auc(PathOf("training"), PathOf("live"), LabelColumn, "sched_dep", hour: true),
            Auc(Score($"{Champion}_schedule", "live", stop)), Auc(Score($"{Champion}_weather", "live", stop)), Auc(offline), RankingMetrics.RocAuc(scores, labels), realTime,
            leaky, Auc(Score(Leaky, "live", stop)), ProbabilityMetrics.ExpectedCalibrationError(scores, labels));
        var evaluation = new DemoEvaluation(auc, trainingRows, offline.Labels.Length, compared, differing);
        Show(evaluation);
        return evaluation;
    }

    /// <summary>What needs neither the served positions nor what was served: the champion over real time's vectors, and the leaky model over its own.</summary>
    private async Task<(double RealTime, double Leaky)> EvaluateBesideAsync(CancellationToken stop)
    {
        await BackfillAsync("live-exact", options.LiveFrom, options.Until, [], stop, beside: true);
        var realTime = Auc(Score(Champion, "live-exact", stop));
        await BackfillAsync("leaky-live", options.LiveFrom, options.Until, [LeakyHistory], stop, beside: true);
        return (realTime, Auc(Score(Leaky, "leaky-live", stop)));
    }

    /// <summary>Explains the last prediction and recomputes it from the archive.</summary>
    public async Task ExplainOneAsync(CancellationToken stop)
    {
        if (lastPrediction.Length == 0)
            return;
        screen.Heading($"One prediction explained and recomputed: streamml explain {lastPrediction} --dir {options.Directory}");
        var explainer = new PredictionExplainer(catalog, store, Archive, new PredictionFinder(Archive, null, null), ScoringPolicies.None);
        ExplainCommand.Print(await explainer.ExplainAsync(PredictionId.Parse(lastPrediction), stop), top: 8);
    }

    /// <summary>The model that is fooled: in its training set a flight's arrival delay is known when the flight departs. It is made while the champion serves.</summary>
    public async Task TrainLeakyAsync(CancellationToken stop)
    {
        LeakyLandings.Write(Path.Combine(sample, "data", "flights.parquet"), catalog.Source("landings"), LeakyHistory.Path);
        await BackfillAsync("leaky", TrainFrom, options.LiveFrom, [LeakyHistory], stop, beside: true);
        using var set = TrainingSet.Open(PathOf("leaky"));
        await TrainAsync(set, Config(), Leaky, alias: null, _ => { }, stop);
    }

    private async Task TrainVariantsAsync(TrainConfig config, CancellationToken stop)
    {
        using var set = TrainingSet.Open(PathOf("training"));
        foreach (var variant in config.Variants)
            await TrainAsync(set, config.Of(variant), $"{Champion}_{variant.Name}", alias: null, _ => { }, stop);
    }

    private async Task<TrackedResult> TrainAsync(TrainingSet set, TrainConfig config, string name, string? alias, Action<string> progress, CancellationToken stop)
    {
        var result = await new TrackedTraining(TimeProvider.System, progress).RunAsync(
            set, config, new TrackedOptions { Directory = options.Directory, Register = name, Alias = alias, RunName = name, Label = LabelColumn, Repository = sample }, stop);
        versions[name] = result.Model!.Value;
        return result;
    }

    /// <summary>The sample's configuration with the dates of this demo, kept beside what it makes.</summary>
    private TrainConfig Config()
    {
        var lines = File.ReadAllLines(Path.Combine(sample, "train.yaml")).Select(line => line.TrimStart().Split(':')[0] switch
        {
            "validation" => $"  validation: {Day(options.LiveFrom - HeldBack)}",
            "test" => $"  test: {Day(options.LiveFrom - Measured)}\n  testTo: {Day(options.LiveFrom)}",
            _ => line,
        });
        var path = PathOf("train.yaml");
        File.WriteAllText(path, string.Join('\n', lines) + "\n");
        return TrainConfigFile.Load(path);
    }

    private Task<TrainingManifest> BackfillAsync(string folder, DateTime from, DateTime until, IReadOnlyList<HistoryFile> history, CancellationToken stop, string? served = null, bool beside = false)
    {
        var backfill = new BackfillOptions
        {
            Service = DemoRun.Service,
            Archive = installation.Options.ArchiveDirectory,
            Output = PathOf(folder),
            Label = Label,
            FromTimeUs = TimeGrid.FromDateTime(from),
            UntilTimeUs = TimeGrid.FromDateTime(until),
            History = history,
            Served = served,
            Overwrite = true,
        };
        // What runs beside something else shows no progress, and leaves the other core to it.
        return beside ? Task.Run(() => BackfillRunner.Run(catalog, backfill with { Cores = 1 }, cancellationToken: stop), stop) : BackfillCommand.RunAsync(catalog, backfill, stop);
    }

    private ScoredSet Score(string name, string set, CancellationToken stop) =>
        ScoredSet.Score(store, versions[name], PathOf(set), LabelColumn, PathOf(Path.Combine("scored", $"{name}-{set}")), stop);

    private static double Auc(ScoredSet set) => RankingMetrics.RocAuc(set.Scores, set.Labels);

    private static (double[] Scores, bool[] Labels, long Compared, long Differing) Compare(IReadOnlyDictionary<(long Partition, long Offset), double> online, ScoredSet offline)
    {
        var (scores, labels, differing) = (new List<double>(), new List<bool>(), 0L);
        for (var i = 0; i < offline.Scores.Length; i++)
        {
            if (!online.TryGetValue(offline.Triggers[i], out var score))
                continue;
            scores.Add(score);
            labels.Add(offline.Labels[i]);
            differing += BitConverter.DoubleToInt64Bits(score) == BitConverter.DoubleToInt64Bits(offline.Scores[i]) ? 0 : 1;
        }

        return ([.. scores], [.. labels], scores.Count, differing);
    }

    private void Show(DemoEvaluation e)
    {
        (string What, double Auc)[] rows =
        [
            ("rate by origin", e.Auc.Origin), ("rate by hour of the schedule", e.Auc.Hour), ("schedule only", e.Auc.Schedule), ("+ weather at the origin", e.Auc.Weather),
            ("+ streaming windows: the champion, recomputed offline", e.Auc.Streaming), ("the champion as it scored online", e.Auc.Online),
            ($"the champion on what had arrived at each event: the replay was up to {Durations.Format(options.MaxAhead)} ahead of it", e.Auc.RealTime),
            ("arrival delays leaked at departure, offline", e.Auc.Leaky), ("that model served with what is really known", e.Auc.LeakyServed),
        ];
        foreach (var (what, auc) in rows)
            DemoScreen.Line($"  AUC {Text(auc)}  {what}");
        DemoScreen.Line($"  {e.Flights:N0} served flights have landed; ECE online {Text(e.Auc.Ece)}; {e.ScoresDiffering} of {e.ScoresCompared} scores differ from those recomputed");
    }

    private string PathOf(string name) => Path.Combine(options.Directory, name);

    private static string Day(DateTime time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
}
