using System.Globalization;
using System.Text.Json.Nodes;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>Runs and experiments as MLflow's messages. Pure.</summary>
internal static class MlflowJson
{
    public static string Stage(bool deleted) => deleted ? "deleted" : "active";

    public static JsonObject Of(Experiment experiment) => new()
    {
        ["experiment_id"] = experiment.Id,
        ["name"] = experiment.Name,
        ["artifact_location"] = $"{MlflowArtifacts.Scheme}/{experiment.Id}",
        ["lifecycle_stage"] = Stage(experiment.Deleted),
        ["creation_time"] = experiment.CreatedAt.ToUnixTimeMilliseconds(),
        ["last_update_time"] = experiment.CreatedAt.ToUnixTimeMilliseconds(),
        ["tags"] = Pairs(experiment.Tags),
    };

    public static JsonObject Of(Run run, string experimentId) => new()
    {
        ["info"] = Info(run.Record, experimentId),
        ["data"] = new JsonObject
        {
            ["metrics"] = new JsonArray([.. run.Metrics.Values.Select(Of)]),
            ["params"] = Pairs(run.Record.Params),
            ["tags"] = Pairs(RunTags.Of(run.Record)),
        },
        ["inputs"] = new JsonObject(),
    };

    public static JsonObject Info(RunRecord record, string experimentId)
    {
        var info = new JsonObject
        {
            ["run_uuid"] = record.Id,
            ["run_id"] = record.Id,
            ["run_name"] = record.Name,
            ["experiment_id"] = experimentId,
            ["user_id"] = record.User ?? "",
            ["status"] = record.Status.ToString().ToUpperInvariant(),
            ["start_time"] = record.StartedAt.ToUnixTimeMilliseconds(),
            ["artifact_uri"] = $"{MlflowArtifacts.Scheme}/{experimentId}/{record.Id}/{RunLayout.Artifacts}",
            ["lifecycle_stage"] = Stage(record.Deleted),
        };
        if (record.EndedAt is { } end)
            info["end_time"] = end.ToUnixTimeMilliseconds();
        return info;
    }

    public static JsonObject Of(MetricPoint point) => new()
    {
        ["key"] = point.Key,
        // As protobuf's JSON form has them.
        ["value"] = double.IsFinite(point.Value) ? JsonValue.Create(point.Value) : JsonValue.Create(point.Value.ToString(CultureInfo.InvariantCulture)),
        ["timestamp"] = point.AtMs,
        ["step"] = point.Step,
    };

    public static JsonArray Pairs(IReadOnlyDictionary<string, string> pairs) =>
        new([.. pairs.Select(p => new JsonObject { ["key"] = p.Key, ["value"] = p.Value })]);
}
