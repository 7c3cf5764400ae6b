using Microsoft.Extensions.Time.Testing;
using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Tests.Archive;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Tests.Models;

/// <summary>A registry in a directory of its own, and small models to put there.</summary>
internal sealed class ModelLab : IDisposable
{
    private readonly TempDirectory directory = new();

    public ModelLab() => Store = ModelStore.In(directory.Path, Time, new ModelStoreOptions { LockWait = TimeSpan.Zero });

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public ModelStore Store { get; }

    public string FolderOf(ModelVersion version) => Path.Combine(directory.Path, "models", version.Name, version.Version);

    public static ModelManifest Manifest(string name = "late", long? seed = 7) => new()
    {
        Name = name,
        Task = "Binary",
        Service = "arrival_delay",
        ServiceHash = "5e1f",
        Inputs = [new ModelInputColumn("x", "Float64", "Stored"), new ModelInputColumn("carrier", "String", "Request")],
        Label = "late",
        Lineage = new ModelLineage { TrainingManifestHash = "abc", RunId = "flights/1", GitCommit = null, Seed = seed, Config = "trees: 3" },
    };

    /// <summary>Publishes a model whose score is twice its input.</summary>
    public async Task<ModelVersion> PublishAsync(string name = "late", long? seed = 7, string model = "{}")
    {
        using var draft = Store.Begin(Manifest(name, seed));
        draft.Write(ModelFiles.Model, System.Text.Encoding.UTF8.GetBytes(model));
        Golden(20).Save(draft.PathOf(ModelFiles.Golden));
        return await Store.PublishAsync(draft, new ChangeNote("test", "because"));
    }

    public static GoldenRows Golden(int rows, double factor = 2)
    {
        var batch = new EventBatch(new EventSchema("inputs", [new EventField("x", FieldType.Float64, true), new EventField("carrier", FieldType.String, true)]), rows);
        for (var i = 0; i < rows; i++)
        {
            if (i % 5 == 0)
                batch.Columns[0].SetNull(i);
            else
                batch.Columns[0].Set(i, i / 100.0);
            batch.Columns[1].Set(i, batch.Arena.Append(i % 2 == 0 ? "AA" : "Ünited"));
        }

        batch.Count = rows;
        var scores = new double[rows];
        Score(factor)(batch, scores);
        return new GoldenRows(batch, scores);
    }

    public static ScoreRows Score(double factor) => (batch, scores) =>
    {
        for (var i = 0; i < batch.Count; i++)
            scores[i] = batch.Columns[0].Valid[i] == 0 ? double.NaN : batch.Columns[0].Doubles[i] * factor;
    };

    public void Dispose() => directory.Dispose();
}
