using System.Text.Json.Nodes;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary><c>/mlflow/experiments/</c>.</summary>
internal sealed class MlflowExperiments(RunStore runs)
{
    public void Map(MlflowRoutes routes)
    {
        routes.Post("/experiments/create", Create);
        routes.Get("/experiments/get", r => Wrap(Find(r.Required("experiment_id"))));
        routes.Get("/experiments/get-by-name", GetByName);
        routes.Get("/experiments/search", Search);
        routes.Post("/experiments/search", Search);
        // Of version 1 of the interface; old clients have nothing else.
        routes.Get("/experiments/list", Search);
        routes.Post("/experiments/update", r => Change(r, e => e with { Name = r.Required("new_name") }));
        routes.Post("/experiments/delete", r => Change(r, e => e with { Deleted = true }));
        routes.Post("/experiments/restore", r => Change(r, e => e with { Deleted = false }));
        routes.Post("/experiments/set-experiment-tag", r => Change(r, e => e with { Tags = new Dictionary<string, string>(e.Tags, StringComparer.Ordinal) { [r.Required("key")] = r.Text("value") ?? "" } }));
    }

    public Experiment Find(string id) => runs.Experiments(deleted: true).FirstOrDefault(e => e.Id == id)
        ?? throw new MlflowException(MlflowException.Missing, $"No Experiment with id={id} exists");

    public static bool InView(MlflowRequest request, string field, bool deleted) => (request.Text(field) ?? "ACTIVE_ONLY") switch
    {
        "ACTIVE_ONLY" or "1" => !deleted,
        "DELETED_ONLY" or "2" => deleted,
        "ALL" or "3" => true,
        var other => throw MlflowRequest.Wrong(field, $"is '{other}'; it must be ACTIVE_ONLY, DELETED_ONLY or ALL"),
    };

    private JsonNode Create(MlflowRequest request)
    {
        if (request.Text("artifact_location") is { Length: > 0 } location)
            throw MlflowRequest.Wrong("artifact_location", $"is '{location}'; this server keeps artifacts beside their runs: leave it out");
        return new JsonObject { ["experiment_id"] = runs.CreateExperiment(request.Required("name"), request.Pairs("tags")).Id };
    }

    private JsonObject GetByName(MlflowRequest request)
    {
        var name = request.Required("experiment_name");
        return Wrap(runs.Experiments(deleted: true).FirstOrDefault(e => e.Name == name) ?? throw new MlflowException(MlflowException.Missing, $"Could not find experiment with name '{name}'"));
    }

    private JsonObject Search(MlflowRequest request) => MlflowPages.Search(
        "experiments",
        request,
        runs.Experiments(deleted: true).Where(e => InView(request, "view_type", e.Deleted)),
        e => new Run(new RunRecord { Id = e.Id, Experiment = e.Name, Name = e.Name, StartedAt = e.CreatedAt, Tags = e.Tags }, "", new Dictionary<string, MetricPoint>(StringComparer.Ordinal)),
        MlflowJson.Of,
        1_000,
        50_000);

    private JsonObject Change(MlflowRequest request, Func<Experiment, Experiment> change)
    {
        runs.UpdateExperiment(Find(request.Required("experiment_id")).Id, change);
        return [];
    }

    private static JsonObject Wrap(Experiment experiment) => new() { ["experiment"] = MlflowJson.Of(experiment) };
}
