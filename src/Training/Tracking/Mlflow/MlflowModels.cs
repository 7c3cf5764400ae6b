using System.Globalization;
using System.Text.Json.Nodes;
using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Models;
using StreamMl.Training.Tracking.Search;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>
/// <c>/mlflow/registered-models/</c> and <c>/mlflow/model-versions/</c>. MLflow's clients insist on whole numbers as versions: ours are numbered in the order in which
/// they were published, and the tag <c>streamml.version</c> has the content's; requests may name either.
/// </summary>
internal sealed class MlflowModels(ModelStore models, MlflowArtifacts artifacts)
{
    private static readonly Dictionary<string, MetricPoint> NoMetrics = [];

    public void Map(MlflowRoutes routes)
    {
        routes.Post("/registered-models/create", Create);
        routes.Get("/registered-models/get", r => new JsonObject { ["registered_model"] = Model(Known(r)) });
        routes.Get("/registered-models/search", SearchModels);
        routes.Post("/registered-models/get-latest-versions", Latest);
        routes.Get("/registered-models/get-latest-versions", Latest);
        routes.Post("/registered-models/alias", SetAliasAsync);
        routes.Get("/registered-models/alias", GetAlias);
        routes.Delete("/registered-models/alias", DeleteAliasAsync);
        routes.Get("/model-versions/get", r => new JsonObject { ["model_version"] = Version(Asked(r)) });
        routes.Get("/model-versions/search", SearchVersions);
        routes.Post("/model-versions/create", CreateVersionAsync);
        routes.Delete("/model-versions/delete", DeleteVersionAsync);
        routes.Get("/model-versions/get-download-uri", r => new JsonObject { ["artifact_uri"] = Source(Asked(r)) });
    }

    private JsonObject Create(MlflowRequest request)
    {
        var name = request.Required("name");
        if (request.Text("description") is { Length: > 0 } || request.Objects("tags").Count > 0)
            throw new MlflowException(MlflowException.Invalid, "a model here has no description or tags of its own: its versions have a card and their lineage; leave both out");
        if (models.Names().Contains(name))
            throw new MlflowException(MlflowException.Exists, $"Registered Model (name={name}) already exists.");
        models.Reserve(name);
        return new JsonObject { ["registered_model"] = Model(name) };
    }

    private JsonObject SearchModels(MlflowRequest request) => MlflowPages.Search(
        "registered_models", request, models.Names(), n => AsRun(n, n, ChangedAt(n), []), Model, 100, 1_000);

    private JsonObject SearchVersions(MlflowRequest request) => MlflowPages.Search(
        "model_versions", request, models.Names().SelectMany(models.Versions), e => AsRun(e.Version.Name, RunIdOf(models.Open(e.Version)) ?? "", e.PublishedAt ?? DateTimeOffset.UnixEpoch, [new(FilterParser.VersionNumber, Number(e.Version))]), e => Version(e.Version), 1_000, 200_000);

    private JsonObject Latest(MlflowRequest request) =>
        new() { ["model_versions"] = new JsonArray([.. models.Versions(Known(request)).Take(1).Select(e => Version(e.Version))]) };

    private async Task<JsonNode> SetAliasAsync(MlflowRequest request)
    {
        await models.MoveAliasAsync(Asked(request), request.Required("alias"), new ChangeNote("mlflow"), request.Aborted);
        return new JsonObject();
    }

    private JsonObject GetAlias(MlflowRequest request)
    {
        var (name, alias) = (Known(request), request.Required("alias"));
        return models.AliasOf(name, alias) is { } version
            ? new JsonObject { ["model_version"] = Version(new ModelVersion(name, version)) }
            : throw new MlflowException(MlflowException.Invalid, $"Registered model alias {alias} not found.");
    }

    private async Task<JsonNode> DeleteAliasAsync(MlflowRequest request)
    {
        await models.RemoveAliasAsync(Known(request), request.Required("alias"), new ChangeNote("mlflow"), request.Aborted);
        return new JsonObject();
    }

    /// <summary>Registers a folder of artifacts that holds a model with its manifest, under the name that is asked for.</summary>
    private async Task<JsonNode> CreateVersionAsync(MlflowRequest request)
    {
        var (name, source) = (request.Required("name"), request.Required("source"));
        if (!source.StartsWith(MlflowArtifacts.Scheme, StringComparison.Ordinal))
            throw MlflowRequest.Wrong("source", $"is '{source}'; this server registers what its own artifacts hold: {MlflowArtifacts.Scheme}/EXPERIMENT-ID/RUN-ID/artifacts/FOLDER");
        var folder = artifacts.Resolve(source);
        var manifestPath = Path.Combine(folder, ModelManifest.FileName);
        if (!File.Exists(manifestPath))
            throw MlflowRequest.Wrong("source", $"'{source}' has no {ModelManifest.FileName}: it holds no StreamMl model, which is what this registry keeps and serves");
        var manifest = ModelJson.Read<ModelManifest>(await File.ReadAllBytesAsync(manifestPath, request.Aborted), manifestPath) with { Name = ModelNames.RequireName(name), Files = [] };
        using var draft = models.Begin(manifest);
        foreach (var file in Directory.EnumerateFiles(folder))
            File.Copy(file, draft.PathOf(Path.GetFileName(file)));
        var version = await models.PublishAsync(draft, new ChangeNote("mlflow", request.Text("description")), request.Aborted);
        return new JsonObject { ["model_version"] = Version(version) };
    }

    private async Task<JsonNode> DeleteVersionAsync(MlflowRequest request)
    {
        await models.DeleteAsync(Asked(request), new ChangeNote("mlflow"), request.Aborted);
        return new JsonObject();
    }

    private string Known(MlflowRequest request)
    {
        var name = request.Required("name");
        return models.Names().Contains(name) ? name : throw new MlflowException(MlflowException.Missing, $"Registered Model with name={name} not found");
    }

    private ModelVersion Asked(MlflowRequest request)
    {
        var (name, asked) = (Known(request), request.Required("version"));
        var found = models.Versions(name).FirstOrDefault(e => e.Version.Version == asked || Number(e.Version) == asked);
        return found?.Version ?? throw new MlflowException(MlflowException.Missing, $"Model Version (name={name}, version={asked}) not found");
    }

    /// <summary>The place of its publication among the model's; those that the journal does not know are named by their content.</summary>
    private string Number(ModelVersion version)
    {
        var published = models.Journal(version.Name).Where(c => c.What == "published").Select(c => c.Version).ToList();
        var place = published.LastIndexOf(version.Version) + 1;
        return place > 0 ? place.ToString(CultureInfo.InvariantCulture) : version.Version;
    }

    private JsonObject Model(string name)
    {
        var changes = models.Journal(name);
        var versions = models.Versions(name);
        return new JsonObject
        {
            ["name"] = name,
            ["creation_timestamp"] = changes.Count > 0 ? changes[0].At.ToUnixTimeMilliseconds() : 0,
            ["last_updated_timestamp"] = ChangedAt(name).ToUnixTimeMilliseconds(),
            ["latest_versions"] = versions.Count == 0 ? [] : new JsonArray(Version(versions[0].Version)),
            ["aliases"] = new JsonArray([.. models.Aliases(name).Select(a => new JsonObject { ["alias"] = a.Key, ["version"] = Number(new ModelVersion(name, a.Value)) })]),
        };
    }

    private JsonObject Version(ModelVersion version)
    {
        var entry = models.Versions(version.Name).First(e => e.Version == version);
        var folder = models.Open(version);
        var at = (entry.PublishedAt ?? DateTimeOffset.UnixEpoch).ToUnixTimeMilliseconds();
        return new JsonObject
        {
            ["name"] = version.Name,
            ["version"] = Number(version),
            ["creation_timestamp"] = at,
            ["last_updated_timestamp"] = at,
            ["current_stage"] = "None",
            ["description"] = "",
            ["source"] = Source(version),
            ["run_id"] = RunIdOf(folder) ?? "",
            ["status"] = "READY",
            ["tags"] = MlflowJson.Pairs(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["streamml.version"] = version.Version,
                ["streamml.service"] = folder.Manifest.Service,
                ["streamml.service_hash"] = folder.Manifest.ServiceHash,
            }),
            ["aliases"] = new JsonArray([.. entry.Aliases.Select(a => JsonValue.Create(a))]),
        };
    }

    private DateTimeOffset ChangedAt(string name) => models.Journal(name) is [.., var last] ? last.At : DateTimeOffset.UnixEpoch;

    private static string Source(ModelVersion version) => $"{MlflowArtifacts.Scheme}/models/{version.Name}/{version.Version}";

    /// <summary>The lineage has the experiment before it.</summary>
    private static string? RunIdOf(ModelFolder folder) => folder.Manifest.Lineage.RunId?.Split('/')[^1];

    private static Run AsRun(string name, string id, DateTimeOffset at, IEnumerable<KeyValuePair<string, string>> parameters) =>
        new(new RunRecord { Id = id, Experiment = "", Name = name, StartedAt = at, Params = new Dictionary<string, string>(parameters, StringComparer.Ordinal) }, "", NoMetrics);
}
