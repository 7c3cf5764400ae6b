using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Models;

namespace StreamMl.Training.Tracking;

/// <summary>
/// Every training run, as folders: <c>runs/EXPERIMENT/RUN-ID/</c> with <c>run.json</c>, <c>metrics.jsonl</c> and <c>artifacts/</c>. Files appear whole or are
/// appended to by whole lines, so readers need no lock; writers of one run take turns. Thread-safe, across processes too.
/// </summary>
/// <param name="directory">The folder of runs.</param>
public sealed class RunStore(string directory, TimeProvider time)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(30);

    private readonly RunLayout layout = new(directory);

    /// <summary>The runs of an installation's directory.</summary>
    public static RunStore In(string installationDirectory, TimeProvider time) => new(Path.Combine(installationDirectory, "runs"), time);

    public TimeProvider Time => time;

    /// <summary>The experiment of that name, made where it is not there.</summary>
    /// <exception cref="TrackingException">It was deleted, or the name cannot be.</exception>
    public Experiment EnsureExperiment(string name)
    {
        if (Find() is not { } found)
        {
            // Two first runs of an experiment may start at once.
            using var held = Lock();
            if (Find() is not { } made)
                return Create(name, null);
            found = made;
        }

        return found.Deleted ? throw new TrackingException($"experiment '{name}' was deleted; restore it, or take another name") : found;

        Experiment? Find() => Experiments(deleted: true).FirstOrDefault(e => e.Name == name);
    }

    /// <exception cref="TrackingException">There is one of that name.</exception>
    public Experiment CreateExperiment(string name, IReadOnlyDictionary<string, string>? tags = null)
    {
        using var held = Lock();
        return Create(name, tags);
    }

    private Experiment Create(string name, IReadOnlyDictionary<string, string>? tags)
    {
        if (Experiments(deleted: true).FirstOrDefault(e => e.Name == name) is { } found)
            throw new TrackingException($"experiment '{name}' exists{(found.Deleted ? " and was deleted: restore it, or take another name" : "")}", TrackingProblem.Exists);
        var path = Path.Combine(layout.Experiment(name), Experiment.FileName);
        if (File.Exists(path))
            throw new TrackingException($"the folder of experiment '{name}' belongs to one that was renamed; take another name", TrackingProblem.Exists);
        var experiment = new Experiment(RunLayout.ExperimentId(name), name, time.GetUtcNow(), false, tags ?? new Dictionary<string, string>(StringComparer.Ordinal));
        DurableFile.WriteAllBytes(path, ModelJson.Write(experiment));
        return experiment;
    }

    /// <summary>Changes an experiment's name, tags or deletion.</summary>
    /// <exception cref="TrackingException">There is none of that id.</exception>
    public Experiment UpdateExperiment(string id, Func<Experiment, Experiment> change)
    {
        using var held = Lock();
        var (path, found) = ExperimentFiles().FirstOrDefault(e => e.Experiment.Id == id);
        if (found is null)
            throw new TrackingException($"there is no experiment with id '{id}'", TrackingProblem.Missing);
        var changed = change(found) with { Id = found.Id };
        if (changed.Name != found.Name && Experiments(deleted: true).Any(e => e.Name == changed.Name))
            throw new TrackingException($"experiment '{changed.Name}' exists", TrackingProblem.Exists);
        DurableFile.WriteAllBytes(path, ModelJson.Write(changed));
        return changed;
    }

    /// <summary>All experiments, by name.</summary>
    public IReadOnlyList<Experiment> Experiments(bool deleted = false) =>
        [.. ExperimentFiles().Select(e => e.Experiment).Where(e => deleted || !e.Deleted).OrderBy(e => e.Name, StringComparer.Ordinal)];

    /// <summary>Starts a run: its folder is there, with its record, when this returns.</summary>
    /// <param name="experiment">Made where it is not there.</param>
    /// <param name="fill">Fills what is known at the start; id, experiment, status and time are given.</param>
    public RunWriter Start(string experiment, Func<RunRecord, RunRecord>? fill = null)
    {
        var folder = FolderOf(EnsureExperiment(experiment));
        var at = time.GetUtcNow();
        var record = new RunRecord { Id = "", Experiment = experiment, Name = "", StartedAt = at, Status = RunStatus.Running, User = Environment.UserName };
        record = fill?.Invoke(record) ?? record;
        for (var attempt = 0; ; attempt++)
        {
            var id = RunLayout.RunId(record.StartedAt, $"{experiment}\n{record.Config}\n{record.Seed}\n{record.DataManifestHash}", attempt);
            var run = Path.Combine(folder, id);
            if (!Claim(run))
                continue;
            record = record with { Id = id, Name = record.Name.Length > 0 ? record.Name : id };
            DurableFile.WriteAllBytes(Path.Combine(run, RunRecord.FileName), ModelJson.Write(record));
            return new RunWriter(run, id, time);
        }
    }

    /// <summary>A run to write on to.</summary>
    /// <param name="id">Its id, or the first digits of it.</param>
    /// <exception cref="TrackingException">There is none, or several.</exception>
    public RunWriter Open(string id)
    {
        var folder = Find(id);
        return new RunWriter(folder, Path.GetFileName(folder), time);
    }

    /// <exception cref="TrackingException">There is none, or several.</exception>
    public Run Load(string id) => RunWriter.Load(Find(id));

    /// <summary>Runs of an experiment, or of all, newest first.</summary>
    public IReadOnlyList<Run> Runs(string? experiment = null, bool deleted = false) =>
    [
        .. ExperimentFiles().Where(e => experiment is null || e.Experiment.Name == experiment).Where(e => deleted || !e.Experiment.Deleted)
            .SelectMany(e => RunFolders(Path.GetDirectoryName(e.Path)!)).Select(RunWriter.Load).Where(r => deleted || !r.Record.Deleted)
            .OrderByDescending(r => r.Record.StartedAt).ThenBy(r => r.Record.Id, StringComparer.Ordinal),
    ];

    public string FolderOf(Experiment experiment) => Path.GetDirectoryName(ExperimentFiles().First(e => e.Experiment.Id == experiment.Id).Path)!;

    private string Find(string id)
    {
        if (!RunLayout.IsRunId(id))
            throw new TrackingException($"'{id}' is no run id: letters, digits and '-'");
        List<string> found = [.. ExperimentFiles().SelectMany(e => RunFolders(Path.GetDirectoryName(e.Path)!)).Where(f => Path.GetFileName(f).StartsWith(id, StringComparison.Ordinal))];
        if (found.Find(f => Path.GetFileName(f) == id) is { } exact)
            return exact;
        // The digits at the end tell runs of one day apart, so they do as a short name.
        if (found.Count == 0 && id.Length >= 4)
            found = [.. ExperimentFiles().SelectMany(e => RunFolders(Path.GetDirectoryName(e.Path)!)).Where(f => Path.GetFileName(f).EndsWith(id, StringComparison.Ordinal))];
        if (found.Count == 0 && FirstOf(id) is { } first)
            return first;
        return found.Count switch
        {
            1 => found[0],
            0 => throw new TrackingException($"there is no run '{id}' in {layout.Root}; `streamml runs list` shows what is", TrackingProblem.Missing),
            _ => throw new TrackingException($"'{id}' is the beginning of {found.Count} runs: {string.Join(", ", found.Take(5).Select(Path.GetFileName))}; give more of it"),
        };
    }

    /// <summary>The first run of a training (<see cref="TrainingId"/>).</summary>
    private string? FirstOf(string training) => ExperimentFiles().SelectMany(e => RunFolders(Path.GetDirectoryName(e.Path)!)).Select(RunWriter.Load)
        .Where(r => r.Record.Training == training).OrderBy(r => r.Record.Model is null).ThenBy(r => r.Record.StartedAt).FirstOrDefault()?.Directory;

    private IDisposable Lock() => FileLock.TakeAsync(Path.Combine(layout.Root, ".lock"), LockWait, TimeProvider.System, CancellationToken.None).GetAwaiter().GetResult();

    private IEnumerable<(string Path, Experiment Experiment)> ExperimentFiles() => !Directory.Exists(layout.Root)
        ? []
        : Directory.EnumerateDirectories(layout.Root).Select(d => Path.Combine(d, Experiment.FileName)).Where(File.Exists)
            .Select(p => (p, ModelJson.Read<Experiment>(File.ReadAllBytes(p), p)));

    private static IEnumerable<string> RunFolders(string experiment) =>
        Directory.EnumerateDirectories(experiment).Where(d => File.Exists(Path.Combine(d, RunRecord.FileName)));

    /// <summary>The folder is whoever's could make its lock file.</summary>
    private static bool Claim(string run)
    {
        Directory.CreateDirectory(run);
        try
        {
            new FileStream(Path.Combine(run, RunWriter.LockFile), FileMode.CreateNew, FileAccess.Write).Dispose();
            return true;
        }
        catch (IOException) when (File.Exists(Path.Combine(run, RunWriter.LockFile)))
        {
            return false;
        }
    }
}
