using System.Globalization;
using StreamMl.Shared.Models;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Tracking;

namespace StreamMl.Training.Jobs;

/// <summary>A run that was run again.</summary>
/// <param name="Original">The run as it was recorded.</param>
/// <param name="Again">The new run, with its model where the first one has one.</param>
/// <param name="Compared">What was compared: the model's version, or the metrics of a run without a model.</param>
/// <param name="IsSame">Whether it is the same.</param>
/// <param name="Warnings">Why it may differ.</param>
public sealed record RerunResult(Run Original, TrackedResult Again, string Compared, bool IsSame, IReadOnlyList<string> Warnings);

/// <summary>
/// Trains again from what a run recorded: its configuration, seed, threads, label, variant and data. The data must be the same to the byte. A model's version is the hash of its
/// content, so the same training gives the same version.
/// </summary>
/// <param name="progress">Takes lines for people.</param>
public sealed class TrainingRerun(TimeProvider time, Action<string> progress)
{
    /// <summary>Tag of a run that repeats another: its id.</summary>
    public const string RerunOf = "streamml.rerun_of";

    private const string Threads = "threads";
    private const string Label = "label";
    private const string SearchMetric = "search/quality";

    /// <summary>Whether a run recorded what is needed.</summary>
    public static bool IsPossible(RunRecord record) => record is { Status: RunStatus.Finished, Config: not null, Seed: not null, Data: not null, DataManifestHash: not null };

    /// <param name="directory">The installation's directory, with the run and its model.</param>
    /// <param name="id">The run's id, or the beginning or the end of it.</param>
    /// <param name="data">Where the training set is now; null: where it was.</param>
    /// <exception cref="TrackingException">The run cannot be run again, or the data is not the run's.</exception>
    /// <exception cref="TrainingException">The data is not there, or damaged.</exception>
    public async Task<RerunResult> RunAsync(string directory, string id, string? data, CancellationToken cancellationToken)
    {
        var store = RunStore.In(directory, time);
        var original = store.Load(id);
        var record = original.Record;
        if (!IsPossible(record))
            throw new TrackingException($"run {record.Id} cannot be run again: {Missing(record)}. Runs of `streamml train` that finished can");
        using var set = OpenSame(record, data);
        var warnings = new List<string>();
        var config = ConfigOf(store, record, warnings);
        var options = new TrackedOptions
        {
            Directory = directory,
            Experiment = record.Experiment,
            RunName = $"{record.Name} again",
            Label = record.Params.GetValueOrDefault(Label),
            Register = record.Model is { } model ? ModelReference.Parse(model).Name : null,
            Commit = record.GitCommit,
            Tags = new Dictionary<string, string>(StringComparer.Ordinal) { [RerunOf] = record.Id },
        };
        var again = await new TrackedTraining(time, progress).RunAsync(set, config, options, cancellationToken);
        return record.Model is null
            ? new RerunResult(original, again, "the metrics", SameMetrics(original, store.Load(again.RunId)), warnings)
            : new RerunResult(original, again, "the model's version", again.Model?.ToString() == record.Model, warnings);
    }

    private static TrainingSet OpenSame(RunRecord record, string? data)
    {
        var set = TrainingSet.Open(data ?? record.Data!);
        try
        {
            if (set.ManifestHash != record.DataManifestHash)
                throw new TrackingException($"the training set in {set.Directory} is another one than run {record.Id} had: its manifest's hash is {set.ManifestHash}, and was {record.DataManifestHash}. Name the run's own with --data, or make it again by `streamml backfill`: the same request gives the same bytes");
            if (set.Manifest.ServiceHash != record.ServiceHash)
                throw new TrackingException($"the training set in {set.Directory} is of definition {set.Manifest.ServiceHash}, and run {record.Id} was of {record.ServiceHash}: backfill with the definition that the run had");
            set.Verify();
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    private static TrainConfig ConfigOf(RunStore store, RunRecord record, List<string> warnings)
    {
        var (config, problems) = TrainConfigFile.Parse(record.Config!, $"run {record.Id}");
        if (config is null)
            throw new TrackingException($"the configuration of run {record.Id} cannot be read any more:\n{string.Join('\n', problems)}");
        // Threads decide the order of sums, so they are part of what was run.
        var threads = int.TryParse(record.Params.GetValueOrDefault(Threads), NumberStyles.None, CultureInfo.InvariantCulture, out var recorded) ? recorded : config.Threads;
        config = config with { Seed = record.Seed!.Value, Threads = threads, Service = record.Service, Search = SearchOf(store, record, config.Search, warnings) };
        if (record.Variant is not { } variant)
            return config;
        return config.Of(config.Variants.FirstOrDefault(v => v.Name == variant) ?? throw new TrackingException($"run {record.Id} is of variant '{variant}', which its configuration does not have"));
    }

    /// <summary>A budget of time ends a search at another trial each time; the number of trials that there were does not.</summary>
    private static SearchOptions? SearchOf(RunStore store, RunRecord record, SearchOptions? search, List<string> warnings)
    {
        if (search?.Budget is null)
            return search;
        if (search.Method == SearchMethod.Halving)
        {
            warnings.Add("the search had a budget of time, which may end successive halving elsewhere");
            return search;
        }

        var trials = store.Open(record.Id).History().Count(p => p.Key == SearchMetric);
        return search with { Budget = null, Trials = Math.Max(1, trials) };
    }

    private static bool SameMetrics(Run one, Run other) =>
        File.ReadAllBytes(Path.Combine(one.ArtifactDirectory, ModelFiles.Metrics)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(other.ArtifactDirectory, ModelFiles.Metrics)));

    private static string Missing(RunRecord record) => record switch
    {
        { Status: not RunStatus.Finished } => $"it is {record.Status.ToString().ToLowerInvariant()}",
        { Config: null } => "it has no configuration",
        { Seed: null } => "it has no seed",
        _ => "it does not say which data it had",
    };
}
