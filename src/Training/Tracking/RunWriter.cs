using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Models;

namespace StreamMl.Training.Tracking;

/// <summary>Writes to one run. Every call is on the disk when it returns. Thread-safe, across processes too.</summary>
public sealed class RunWriter
{
    internal const string LockFile = ".lock";
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);
    private readonly TimeProvider time;

    internal RunWriter(string directory, string id, TimeProvider time)
    {
        Directory = directory;
        Id = id;
        this.time = time;
    }

    public string Id { get; }

    public string Directory { get; }

    /// <summary>Files of the run; made by the first call of <see cref="ArtifactPath"/>.</summary>
    public string ArtifactDirectory => Path.Combine(Directory, RunLayout.Artifacts);

    /// <summary>The run as it is now.</summary>
    public Run Read() => Load(Directory);

    /// <summary>All values of all metrics, in the order in which they were logged.</summary>
    public IReadOnlyList<MetricPoint> History() => JsonLines.Read<MetricPoint>(Path.Combine(Directory, RunLayout.Metrics));

    /// <summary>Where an artifact is written; folders in its name are made.</summary>
    /// <exception cref="TrackingException">The name leads out of the run.</exception>
    public string ArtifactPath(string name)
    {
        var path = Path.GetFullPath(Path.Combine(ArtifactDirectory, name));
        if (!path.StartsWith(Path.GetFullPath(ArtifactDirectory) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new TrackingException($"artifact '{name}' leads out of the run's folder; give a path inside it, without '..'");
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    public Task LogMetricAsync(string key, double value, long step = 0, CancellationToken cancellationToken = default) =>
        LogMetricsAsync([new MetricPoint(key, value, step, time.GetUtcNow().ToUnixTimeMilliseconds())], cancellationToken);

    /// <summary>Many values in one write.</summary>
    public async Task LogMetricsAsync(IReadOnlyCollection<MetricPoint> points, CancellationToken cancellationToken = default)
    {
        if (points.Count == 0)
            return;
        using var held = await LockAsync(cancellationToken);
        JsonLines.Append(Path.Combine(Directory, RunLayout.Metrics), points);
    }

    /// <summary>Parameters are what the run was made with: one that is there keeps its value.</summary>
    /// <exception cref="TrackingException">One has another value already.</exception>
    public Task LogParamsAsync(IReadOnlyDictionary<string, string> values, CancellationToken cancellationToken = default) =>
        UpdateAsync(r => r with { Params = Merged(r, values) }, cancellationToken);

    public Task SetTagsAsync(IReadOnlyDictionary<string, string> values, CancellationToken cancellationToken = default) =>
        UpdateAsync(r => r with { Tags = With(r.Tags, values) }, cancellationToken);

    public Task LogTimingAsync(string phase, TimeSpan elapsed, CancellationToken cancellationToken = default) =>
        UpdateAsync(r => r with { TimingsSeconds = With(r.TimingsSeconds, new Dictionary<string, double>(StringComparer.Ordinal) { [phase] = elapsed.TotalSeconds }) }, cancellationToken);

    /// <summary>Ends the run.</summary>
    /// <param name="error">Why it failed.</param>
    public Task EndAsync(RunStatus status = RunStatus.Finished, string? error = null, CancellationToken cancellationToken = default) =>
        UpdateAsync(r => r with { Status = status, Error = error, EndedAt = time.GetUtcNow() }, cancellationToken);

    /// <summary>Changes the record, reading and writing under the run's lock.</summary>
    public async Task UpdateAsync(Func<RunRecord, RunRecord> change, CancellationToken cancellationToken = default)
    {
        using var held = await LockAsync(cancellationToken);
        var path = Path.Combine(Directory, RunRecord.FileName);
        var record = ModelJson.Read<RunRecord>(await File.ReadAllBytesAsync(path, cancellationToken), path);
        DurableFile.WriteAllBytes(path, ModelJson.Write(change(record) with { Id = record.Id }));
    }

    internal static Run Load(string directory)
    {
        var path = Path.Combine(directory, RunRecord.FileName);
        var metrics = new SortedDictionary<string, MetricPoint>(StringComparer.Ordinal);
        foreach (var point in JsonLines.Read<MetricPoint>(Path.Combine(directory, RunLayout.Metrics)))
        {
            if (!metrics.TryGetValue(point.Key, out var last) || (point.Step, point.AtMs).CompareTo((last.Step, last.AtMs)) >= 0)
                metrics[point.Key] = point;
        }

        return new Run(ModelJson.Read<RunRecord>(File.ReadAllBytes(path), path), directory, metrics);
    }

    private Task<IDisposable> LockAsync(CancellationToken cancellationToken) => FileLock.TakeAsync(Path.Combine(Directory, LockFile), LockWait, time, cancellationToken);

    private static IReadOnlyDictionary<string, string> Merged(RunRecord record, IReadOnlyDictionary<string, string> values)
    {
        foreach (var (key, value) in values)
        {
            if (record.Params.TryGetValue(key, out var old) && old != value)
                throw new TrackingException($"parameter '{key}' of run {record.Id} is '{old}' and cannot become '{value}': parameters say what a run was made with; start a new run, or use a tag");
        }

        return With(record.Params, values);
    }

    private static Dictionary<string, T> With<T>(IReadOnlyDictionary<string, T> old, IReadOnlyDictionary<string, T> values)
    {
        var merged = new Dictionary<string, T>(old, StringComparer.Ordinal);
        foreach (var (key, value) in values)
            merged[key] = value;
        return merged;
    }
}
