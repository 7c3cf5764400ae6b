using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Models;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Trees;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Tests.Scoring;

/// <summary>A registry in a folder of its own, with linear models of the lab's service "everything".</summary>
internal sealed class ModelLab : IDisposable
{
    private readonly string directory = Path.Combine(AppContext.BaseDirectory, "models", Path.GetRandomFileName());

    public ModelLab(Catalog catalog, ScoringPolicies? policies = null, ScoringOptions? options = null, IModelCodeFactory? factory = null)
    {
        Catalog = catalog;
        Store = new ModelStore(directory, TimeProvider.System, new ModelStoreOptions { PollInterval = TimeSpan.FromMilliseconds(10) });
        Loader = new ModelLoader(catalog, Store, factory ?? new LinearFactory(), policies);
        Host = new ModelHost(Store, Loader, options ?? new ScoringOptions(), NullLogger<ModelHost>.Instance);
    }

    public static IReadOnlyList<ModelInput> Inputs { get; } =
    [
        new("by_origin.count_1h", FieldType.Int64, InputOrigin.Stored), new("by_dest.last_dest", FieldType.String, InputOrigin.Stored),
        new("by_dest.mean_delay_1h", FieldType.Float64, InputOrigin.Stored), new("number", FieldType.Int64, InputOrigin.Request), new("dest", FieldType.String, InputOrigin.Request),
    ];

    public Catalog Catalog { get; }

    public ModelStore Store { get; }

    public ModelLoader Loader { get; }

    public ModelHost Host { get; }

    public static double ScoreOf(double bias, double count, string? lastDest, double mean, double number, string? dest) =>
        1 / (1 + Math.Exp(-(bias + (0.1 * count) + (0.2 * (lastDest?.Length ?? 0)) + (0.3 * mean) + (-0.05 * number) + (0.01 * (dest?.Length ?? 0)))));

    /// <summary>Publishes a model whose bias tells it apart from others.</summary>
    public async Task<ModelVersion> PublishAsync(
        double bias, string? alias = null, string name = "late", IReadOnlyList<ModelInput>? inputs = null, double goldenError = 0, string? serviceHash = null, string service = "everything")
    {
        inputs ??= Inputs;
        double[] weights = [0.1, 0.2, 0.3, -0.05, 0.01];
        var document = new LinearDocument(bias, [.. inputs.Select((_, i) => weights[i % weights.Length])], inputs);
        return await PublishAsync(name, service, inputs, document.ToJson(), Golden(new LinearCode(document), goldenError), alias, serviceHash);
    }

    /// <summary>Publishes a model of two trees over three numbers, as the model engine runs it.</summary>
    public Task<ModelVersion> PublishTreesAsync(string? alias = null)
    {
        ModelInput[] inputs = [new("by_origin.count_1h", FieldType.Int64, InputOrigin.Stored), new("by_dest.mean_delay_1h", FieldType.Float64, InputOrigin.Stored), new("number", FieldType.Int64, InputOrigin.Request)];
        var pipeline = new PipelineDocument(inputs, [], [.. inputs.Select(i => new Slot(i.Name, [i.Name], 0))]);
        var first = new DecisionTree([0, 1, 2], [4.5f, 5.5f, 20.5f], [true, true, false], [1, ~0, ~2], [2, ~1, ~3], [], [-0.4, 0.3, 0.1, 0.9], [10, 12, 8, 5]);
        var second = new DecisionTree([1, 2], [9.25f, 30f], [false, true], [~0, ~1], [1, ~2], [], [-0.2, 0.25, 0.6], [15, 11, 9]);
        var document = ModelDocument.Create(ModelTask.Binary, pipeline, new TreePredictor(new TreeEnsemble(-0.1, 1, [first, second])), ModelLink.Sigmoid, ["false", "true"], 0.55);
        var json = document.Write();
        return PublishAsync("late", "everything", inputs, json, Golden(new EngineModels().Load(json), 0), alias, null);
    }

    private async Task<ModelVersion> PublishAsync(string name, string service, IReadOnlyList<ModelInput> inputs, byte[] document, GoldenRows golden, string? alias, string? serviceHash)
    {
        var manifest = new ModelManifest
        {
            Name = name,
            Task = "Binary",
            Service = service,
            ServiceHash = serviceHash ?? ServedService.Compile(Catalog, Catalog.Service(service)).Program.Hash,
            Inputs = [.. inputs.Select(i => new ModelInputColumn(i.Name, i.Type.ToString(), i.Origin.ToString()))],
            Label = "late",
            Lineage = new ModelLineage { TrainingManifestHash = null, RunId = null, GitCommit = null, Seed = null, Config = null },
        };
        using var draft = Store.Begin(manifest);
        draft.Write(ModelFiles.Model, document);
        golden.Save(draft.PathOf(ModelFiles.Golden));
        var version = await Store.PublishAsync(draft, cancellationToken: TestContext.Current.CancellationToken);
        if (alias is not null)
            await Store.MoveAliasAsync(version, alias, cancellationToken: TestContext.Current.CancellationToken);
        return version;
    }

    public Task RefreshAsync() => Host.RefreshAsync(TestContext.Current.CancellationToken);

    public string PathOf(ModelVersion version, string file) => Path.Combine(directory, version.Name, version.Version, file);

    public void Dispose()
    {
        Host.Dispose();
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    private static GoldenRows Golden(IModelCode code, double error)
    {
        var rows = new EventBatch(new EventSchema("inputs", [.. code.Inputs.Select(i => new EventField(i.Name, i.Type, Nullable: true))]));
        for (var row = 0; row < 10; row++)
        {
            rows.NextRow();
            foreach (var column in rows.Columns)
            {
                if (column.Type == FieldType.String)
                    column.Set(row, rows.Arena.Append(new string('x', row)));
                else if (column.Type == FieldType.Float64)
                    column.Set(row, row * 0.5);
                else
                    column.Set(row, (long)row);
            }

            rows.Count++;
        }

        var scores = new double[rows.Count];
        ModelLoader.ScoreTable(code, rows, scores);
        scores[3] += error;
        return new GoldenRows(rows, scores);
    }
}
