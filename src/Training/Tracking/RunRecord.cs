namespace StreamMl.Training.Tracking;

/// <summary>Where a run stands. The names are MLflow's.</summary>
public enum RunStatus
{
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

/// <summary>One value of a metric.</summary>
/// <param name="Key">Its name: auc, train/logLoss, ...</param>
/// <param name="Value">NaN and infinities are allowed.</param>
/// <param name="Step">Iteration, epoch, or 0.</param>
/// <param name="AtMs">When, in ms since the epoch.</param>
public sealed record MetricPoint(string Key, double Value, long Step, long AtMs);

/// <summary>What a run is, all but its metrics: <c>run.json</c>. With the configuration, the seed and the hashes it can be run again to the same model.</summary>
public sealed record RunRecord
{
    public const string FileName = "run.json";

    public int Form { get; init; } = 1;

    public required string Id { get; init; }

    public required string Experiment { get; init; }

    public required string Name { get; init; }

    public RunStatus Status { get; init; }

    /// <summary>Deleted runs stay on disk and are not listed.</summary>
    public bool Deleted { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? User { get; init; }

    public string? Service { get; init; }

    /// <summary>Hash of the service's definition.</summary>
    public string? ServiceHash { get; init; }

    /// <summary>The training set's folder, as it was given.</summary>
    public string? Data { get; init; }

    /// <summary>SHA-256 of the training set's manifest.json.</summary>
    public string? DataManifestHash { get; init; }

    public string? GitCommit { get; init; }

    public long? Seed { get; init; }

    /// <summary>The whole configuration, as text.</summary>
    public string? Config { get; init; }

    /// <summary>The configuration's variant that was trained; null: all features.</summary>
    public string? Variant { get; init; }

    /// <summary>What was trained, whenever: runs of the same training have the same. A model names it as its run, since a run's id has a time in it.</summary>
    public string? Training { get; init; }

    /// <summary>The registered model that came of it, as <c>late@0123456789abcdef</c>.</summary>
    public string? Model { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    public IReadOnlyDictionary<string, string> Params { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Seconds by phase: read, fit, evaluate, ...</summary>
    public IReadOnlyDictionary<string, double> TimingsSeconds { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);
}

/// <summary>A run as it was read: its record and the last value of each metric.</summary>
public sealed record Run(RunRecord Record, string Directory, IReadOnlyDictionary<string, MetricPoint> Metrics)
{
    public string ArtifactDirectory => Path.Combine(Directory, RunLayout.Artifacts);
}

/// <summary>A set of runs that are compared with each other: <c>experiment.json</c>.</summary>
/// <param name="Id">Decimal digits, from the name it was created with.</param>
/// <param name="Name">Its name.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="Deleted">Deleted experiments stay on disk and are not listed.</param>
/// <param name="Tags">By key.</param>
public sealed record Experiment(string Id, string Name, DateTimeOffset CreatedAt, bool Deleted, IReadOnlyDictionary<string, string> Tags)
{
    public const string FileName = "experiment.json";
}
