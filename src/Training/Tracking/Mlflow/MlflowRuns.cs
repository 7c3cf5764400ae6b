using System.Text.Json.Nodes;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary><c>/mlflow/runs/</c> and <c>/mlflow/metrics/</c>.</summary>
internal sealed class MlflowRuns(RunStore runs, MlflowExperiments experiments)
{
    // MLflow's own limits of one batch.
    private const int MaxMetrics = 1_000;
    private const int MaxPairs = 100;
    private static readonly JsonObject Nothing = [];

    public void Map(MlflowRoutes routes)
    {
        routes.Post("/runs/create", CreateAsync);
        routes.Get("/runs/get", r => Wrap(Open(r).Read()));
        routes.Post("/runs/update", UpdateAsync);
        routes.Post("/runs/search", Search);
        routes.Post("/runs/delete", r => ChangeAsync(r, record => record with { Deleted = true }));
        routes.Post("/runs/restore", r => ChangeAsync(r, record => record with { Deleted = false }));
        routes.Post("/runs/log-metric", LogMetricAsync);
        routes.Post("/runs/log-parameter", r => LogAsync(r, run => run.LogParamsAsync(Pair(r), r.Aborted)));
        routes.Post("/runs/set-tag", r => LogAsync(r, run => SetTagsAsync(run, Pair(r), r.Aborted)));
        routes.Post("/runs/delete-tag", DeleteTagAsync);
        routes.Post("/runs/log-batch", LogBatchAsync);
        routes.Get("/metrics/get-history", History);
    }

    /// <summary>Only a whole id: short ones are for people.</summary>
    public RunWriter Open(MlflowRequest request)
    {
        var id = request.RunId();
        var run = runs.Open(id);
        return run.Id == id ? run : throw new MlflowException(MlflowException.Missing, $"Run with id={id} not found");
    }

    private async Task<JsonNode> CreateAsync(MlflowRequest request)
    {
        var experiment = experiments.Find(request.Text("experiment_id") is { Length: > 0 } id ? id : "0");
        if (experiment.Deleted)
            throw new MlflowException(MlflowException.Invalid, $"experiment '{experiment.Name}' is deleted; restore it before starting runs in it");
        var tags = request.Pairs("tags");
        var run = runs.Start(experiment.Name, record => record with
        {
            Name = request.Text("run_name") ?? tags.GetValueOrDefault(RunTags.Name) ?? "",
            User = request.Text("user_id") ?? tags.GetValueOrDefault(RunTags.User),
            GitCommit = tags.GetValueOrDefault(RunTags.Commit),
            StartedAt = request.Number("start_time") is { } start ? DateTimeOffset.FromUnixTimeMilliseconds(start) : record.StartedAt,
        });
        await SetTagsAsync(run, tags, request.Aborted);
        return Wrap(run.Read());
    }

    private async Task<JsonNode> UpdateAsync(MlflowRequest request)
    {
        var run = Open(request);
        var status = request.Text("status") is { Length: > 0 } text
            ? Enum.TryParse<RunStatus>(text, ignoreCase: true, out var parsed) && Enum.IsDefined(parsed) ? parsed : throw MlflowRequest.Wrong("status", $"is '{text}'; it must be {string.Join(", ", Enum.GetNames<RunStatus>()).ToUpperInvariant()}")
            : (RunStatus?)null;
        await run.UpdateAsync(
            record => record with
            {
                Status = status ?? record.Status,
                EndedAt = request.Number("end_time") is { } end ? DateTimeOffset.FromUnixTimeMilliseconds(end) : record.EndedAt,
                Name = request.Text("run_name") is { Length: > 0 } name ? name : record.Name,
            },
            request.Aborted);
        var read = run.Read();
        return new JsonObject { ["run_info"] = MlflowJson.Info(read.Record, IdOf(read.Record.Experiment)) };
    }

    private JsonObject Search(MlflowRequest request)
    {
        var ids = request.Texts("experiment_ids");
        var among = runs.Experiments(deleted: true).Where(e => ids.Contains(e.Id)).ToList();
        var found = among.SelectMany(e => runs.Runs(e.Name, deleted: true)).Where(r => MlflowExperiments.InView(request, "run_view_type", r.Record.Deleted))
            .OrderByDescending(r => r.Record.StartedAt).ThenBy(r => r.Record.Id, StringComparer.Ordinal);
        return MlflowPages.Search("runs", request, found, r => r, r => MlflowJson.Of(r, IdOf(r.Record.Experiment)), 1_000, 50_000);
    }

    private Task<JsonNode> LogMetricAsync(MlflowRequest request) => LogAsync(request, run => run.LogMetricsAsync([Point(request)], request.Aborted));

    private async Task<JsonNode> LogBatchAsync(MlflowRequest request)
    {
        var (metrics, parameters, tags) = (request.Objects("metrics"), request.Pairs("params"), request.Pairs("tags"));
        if (metrics.Count > MaxMetrics || parameters.Count > MaxPairs || tags.Count > MaxPairs)
            throw new MlflowException(MlflowException.Invalid, $"a batch has at most {MaxMetrics} metrics, {MaxPairs} params and {MaxPairs} tags, not {metrics.Count}, {parameters.Count} and {tags.Count}: send several");
        // Read before anything is written: a batch that cannot be read changes nothing.
        List<MetricPoint> points = [.. metrics.Select(Point)];
        return await LogAsync(request, async run =>
        {
            if (parameters.Count > 0)
                await run.LogParamsAsync(parameters, request.Aborted);
            await run.LogMetricsAsync(points, request.Aborted);
            await SetTagsAsync(run, tags, request.Aborted);
        });
    }

    private async Task<JsonNode> DeleteTagAsync(MlflowRequest request)
    {
        var key = request.Required("key");
        return await ChangeAsync(request, record => record.Tags.ContainsKey(key)
            ? record with { Tags = record.Tags.Where(t => t.Key != key).ToDictionary(StringComparer.Ordinal) }
            : throw new MlflowException(MlflowException.Missing, $"run {record.Id} has no tag '{key}'"));
    }

    private JsonObject History(MlflowRequest request)
    {
        var key = request.Text("metric_key") ?? request.Required("key");
        return MlflowPages.Page("metrics", request, [.. Open(request).History().Where(p => p.Key == key)], MlflowJson.Of, 25_000, 100_000);
    }

    private async Task<JsonNode> LogAsync(MlflowRequest request, Func<RunWriter, Task> log)
    {
        var run = Open(request);
        if (run.Read().Record.Deleted)
            throw new MlflowException(MlflowException.Invalid, $"run {run.Id} is deleted; restore it before writing to it");
        await log(run);
        return Nothing.DeepClone();
    }

    private Task<JsonNode> ChangeAsync(MlflowRequest request, Func<RunRecord, RunRecord> change) => ChangeAsync(Open(request), change, request.Aborted);

    private static async Task<JsonNode> ChangeAsync(RunWriter run, Func<RunRecord, RunRecord> change, CancellationToken cancellationToken)
    {
        await run.UpdateAsync(change, cancellationToken);
        return Nothing.DeepClone();
    }

    /// <summary>Some tags are a run's own fields.</summary>
    private static Task SetTagsAsync(RunWriter run, IReadOnlyDictionary<string, string> tags, CancellationToken cancellationToken) => tags.Count == 0 ? Task.CompletedTask : run.UpdateAsync(
        record => record with
        {
            Name = tags.GetValueOrDefault(RunTags.Name) ?? record.Name,
            User = tags.GetValueOrDefault(RunTags.User) ?? record.User,
            GitCommit = tags.GetValueOrDefault(RunTags.Commit) ?? record.GitCommit,
            Tags = record.Tags.Where(t => !tags.ContainsKey(t.Key)).Concat(tags.Where(t => t.Key is not (RunTags.Name or RunTags.User or RunTags.Commit))).ToDictionary(StringComparer.Ordinal),
        },
        cancellationToken);

    private MetricPoint Point(MlflowRequest request) => new(
        request.Required("key"), request.Real("value"), request.Number("step") ?? 0, request.Number("timestamp") ?? runs.Time.GetUtcNow().ToUnixTimeMilliseconds());

    private static Dictionary<string, string> Pair(MlflowRequest request) => new(StringComparer.Ordinal) { [request.Required("key")] = request.Text("value") ?? "" };

    private JsonObject Wrap(Run run) => new() { ["run"] = MlflowJson.Of(run, IdOf(run.Record.Experiment)) };

    /// <summary>By the name that the experiment had when the run was started: its folder.</summary>
    private string IdOf(string experiment) => runs.Experiments(deleted: true).FirstOrDefault(e => e.Name == experiment)?.Id ?? RunLayout.ExperimentId(experiment);
}
