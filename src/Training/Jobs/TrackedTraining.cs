using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Models;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Reports;
using StreamMl.Training.Tracking;

namespace StreamMl.Training.Jobs;

/// <summary>What to do with a training beside running it.</summary>
public sealed record TrackedOptions
{
    /// <summary>Folder of runs and models: an installation's directory.</summary>
    public required string Directory { get; init; }

    /// <summary>Under which runs are compared. Default: the service's name.</summary>
    public string? Experiment { get; init; }

    /// <summary>The run's name; null: its id.</summary>
    public string? RunName { get; init; }

    /// <summary>The label's column; null: the configuration's, or the set's.</summary>
    public string? Label { get; init; }

    /// <summary>Name under which the model is registered; null: it is not.</summary>
    public string? Register { get; init; }

    /// <summary>Alias that is moved to it.</summary>
    public string? Alias { get; init; }

    /// <summary>A folder of the user's repository, whose commit is recorded.</summary>
    public string Repository { get; init; } = ".";

    /// <summary>The commit that is recorded instead of the repository's: of a run that is run again.</summary>
    public string? Commit { get; init; }

    /// <summary>Tags of the run.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>A training with its tracked run and, where asked for, its registered model.</summary>
public sealed record TrackedResult(TrainedRun Run, string RunId, string RunDirectory, ModelVersion? Model);

/// <summary>Runs a training as a tracked run: parameters, metrics, hashes, seed, commit and timings are kept whether it ends well or not.</summary>
public sealed class TrackedTraining(TimeProvider time, Action<string> progress)
{
    public async Task<TrackedResult> RunAsync(TrainingSet set, TrainConfig config, TrackedOptions options, CancellationToken cancellationToken)
    {
        var commit = options.Commit ?? GitCommit.Of(options.Repository);
        var training = TrainingId.Of(config, options.Label, set.ManifestHash);
        var writer = RunStore.In(options.Directory, time).Start(options.Experiment ?? set.Manifest.Service, record => record with
        {
            Name = options.RunName ?? "",
            Service = set.Manifest.Service,
            ServiceHash = set.Manifest.ServiceHash,
            Data = set.Directory,
            DataManifestHash = set.ManifestHash,
            GitCommit = commit,
            Seed = config.Seed,
            Config = config.TextAsRun(),
            Variant = config.Variant,
            Training = training,
            Tags = options.Tags,
        });
        try
        {
            var run = await Task.Run(() => new TrainingJob(time, progress).Run(set, config, options.Label, commit), cancellationToken);
            await LogAsync(writer, run, options.Register ?? set.Manifest.Service, cancellationToken);
            var model = options.Register is null ? (ModelVersion?)null : await RegisterAsync(run, writer.Id, training, options, cancellationToken);
            if (model is { } version)
                await writer.UpdateAsync(r => r with { Model = version.ToString() }, cancellationToken);
            await writer.EndAsync(cancellationToken: cancellationToken);
            return new TrackedResult(run, writer.Id, writer.Directory, model);
        }
        catch (Exception e)
        {
            await writer.EndAsync(e is OperationCanceledException ? RunStatus.Killed : RunStatus.Failed, e.Message, CancellationToken.None);
            throw;
        }
    }

    private async Task LogAsync(RunWriter writer, TrainedRun run, string name, CancellationToken cancellationToken)
    {
        await writer.LogParamsAsync(run.Parameters, cancellationToken);
        var atMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        // The test's metrics have plain names: they are what runs are compared by.
        await writer.LogMetricsAsync(
            [.. run.Metrics.Splits.SelectMany(s => s.Metrics.Select(m => new MetricPoint(s.Name == "test" ? m.Key : $"{s.Name}/{m.Key}", m.Value.Value, 0, atMs))),
             .. run.Trials.Select(t => new MetricPoint("search/quality", t.Quality, t.Number, atMs))], cancellationToken);
        foreach (var (phase, elapsed) in run.Timings)
            await writer.LogTimingAsync(phase, elapsed, cancellationToken);
        var report = ModelPublisher.Report(run, name);
        await File.WriteAllTextAsync(writer.ArtifactPath(ModelFiles.Report), HtmlReport.Render(report), cancellationToken);
        await File.WriteAllBytesAsync(writer.ArtifactPath(ModelPublisher.ReportJson), report.ToJson(), cancellationToken);
        await File.WriteAllBytesAsync(writer.ArtifactPath(ModelFiles.Metrics), run.Metrics.ToJson(), cancellationToken);
    }

    private async Task<ModelVersion> RegisterAsync(TrainedRun run, string runId, string training, TrackedOptions options, CancellationToken cancellationToken)
    {
        progress("registering the model");
        var store = ModelStore.In(options.Directory, time);
        var note = new ChangeNote(Environment.UserName, $"trained by run {runId}");
        // The run's id has a time in it: in the model, the same training would give another version. So the model names the training, by which the run is found; the journal
        // and the run's record say which made which.
        var version = await ModelPublisher.PublishAsync(store, options.Register!, run, training, note, cancellationToken);
        if (options.Alias is { } alias)
            await store.MoveAliasAsync(version, alias, note, cancellationToken);
        return version;
    }
}
