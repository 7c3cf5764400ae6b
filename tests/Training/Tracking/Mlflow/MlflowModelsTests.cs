using System.Text;
using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.Training.Tests.Tracking.Mlflow;

/// <summary>The registry as MLflow's clients see it.</summary>
public sealed class MlflowModelsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Versions_AreNumberedAsPublished_AndNamedByContentInATag()
    {
        await using var lab = await MlflowLab.StartAsync();
        var store = ModelStore.In(lab.Runs.Directory, lab.Runs.Time);
        var one = await PublishAsync(store, 1);
        lab.Runs.Time.Advance(TimeSpan.FromSeconds(1));
        var two = await PublishAsync(store, 2);
        var found = (await lab.GetAsync("model-versions/search?filter=name%3D%27late%27"))["model_versions"]!.AsArray();
        found.Select(v => (string)v!["version"]!).ShouldBe(["2", "1"]);
        foreach (var (order, expected) in new[] { ("version_number+ASC", "1"), ("version_number+DESC", "2"), ("name", "2"), ("creation_timestamp+ASC", "1"), ("last_updated_timestamp+DESC", "2") })
            ((string)(await lab.GetAsync($"model-versions/search?order_by={order}"))["model_versions"]![0]!["version"]!).ShouldBe(expected, order);
        found[0]!["tags"]!.AsArray().ShouldContain(t => (string)t!["key"]! == "streamml.version" && (string)t["value"]! == two.Version);
        ((string)found[0]!["run_id"]!).ShouldBe("20260101-000000-abcdef");
        ((string)(await lab.GetAsync($"model-versions/get?name=late&version={one.Version}"))["model_version"]!["version"]!).ShouldBe("1");
        (await lab.GetAsync("registered-models/search"))["registered_models"]![0]!["latest_versions"]![0]!["version"]!.GetValue<string>().ShouldBe("2");
        (await lab.RefusalAsync("model-versions/get?name=late&version=3")).ShouldBe((404, "RESOURCE_DOES_NOT_EXIST", "Model Version (name=late, version=3) not found"));
        (await lab.RefusalAsync("registered-models/get?name=early")).Code.ShouldBe("RESOURCE_DOES_NOT_EXIST");
    }

    [Fact]
    public async Task Alias_SetReadAndDeleted_IsTheRegistrys()
    {
        await using var lab = await MlflowLab.StartAsync();
        var store = ModelStore.In(lab.Runs.Directory, lab.Runs.Time);
        var version = await PublishAsync(store, 1);
        await lab.PostAsync("registered-models/alias", new { name = "late", alias = "champion", version = "1" });
        store.AliasOf("late", "champion").ShouldBe(version.Version);
        ((string)(await lab.GetAsync("registered-models/alias?name=late&alias=champion"))["model_version"]!["version"]!).ShouldBe("1");
        (await lab.GetAsync("registered-models/get?name=late"))["registered_model"]!["aliases"]!.ToJsonString().ShouldBe("""[{"alias":"champion","version":"1"}]""");
        await lab.DeleteAsync("registered-models/alias", new { name = "late", alias = "champion" });
        store.AliasOf("late", "champion").ShouldBeNull();
        (await lab.RefusalAsync("registered-models/alias?name=late&alias=champion")).Message.ShouldBe("Registered model alias champion not found.");
        await lab.DeleteAsync("model-versions/delete", new { name = "late", version = "1" });
        store.Versions("late").ShouldBeEmpty();
    }

    [Fact]
    public async Task CreateVersion_FromARunsArtifacts_RegistersItsFolder()
    {
        await using var lab = await MlflowLab.StartAsync();
        var store = ModelStore.In(lab.Runs.Directory, lab.Runs.Time);
        var made = store.Open(await PublishAsync(store, 1));
        var run = await lab.Runs.RunAsync("one", 0.7, 3);
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(made.PathOf(ModelFiles.Model))!))
            File.Copy(file, run.ArtifactPath("model/" + Path.GetFileName(file)));
        var source = $"mlflow-artifacts:/{lab.Runs.Store.EnsureExperiment("flights").Id}/{run.Id}/artifacts/model";
        (await lab.RefusalAsync("model-versions/create", new { name = "copy", source = source + "/.." })).Code.ShouldBe("INVALID_PARAMETER_VALUE");
        (await lab.RefusalAsync("model-versions/create", new { name = "copy", source = "s3://elsewhere" })).Message.ShouldContain("its own artifacts");
        await lab.PostAsync("registered-models/create", new { name = "copy" });
        var version = (await lab.PostAsync("model-versions/create", new { name = "copy", source }))["model_version"]!;
        ((string)version["version"]!).ShouldBe("1");
        ((string)version["status"]!).ShouldBe("READY");
        store.Versions("copy").ShouldHaveSingleItem();
        var download = (string)(await lab.GetAsync("model-versions/get-download-uri?name=copy&version=1"))["artifact_uri"]!;
        var proxied = "/api/2.0/mlflow-artifacts/artifacts/" + download["mlflow-artifacts:/".Length..];
        (await lab.Http.GetStringAsync($"{proxied}/model.json", Stop)).ShouldBe("""{"seed":1}""");
        ((int)(await lab.Http.PutAsync($"{proxied}/model.json", new StringContent("x"), Stop)).StatusCode).ShouldBe(403);
    }

    private static async Task<ModelVersion> PublishAsync(ModelStore store, long seed)
    {
        using var draft = store.Begin(new ModelManifest
        {
            Name = "late",
            Task = "Binary",
            Service = "arrival_delay",
            ServiceHash = "5e1f",
            Inputs = [new ModelInputColumn("x", "Float64", "Stored")],
            Label = "late",
            Lineage = new ModelLineage { TrainingManifestHash = null, RunId = "flights/20260101-000000-abcdef", GitCommit = null, Seed = seed, Config = null },
        });
        draft.Write(ModelFiles.Model, Encoding.UTF8.GetBytes($$"""{"seed":{{seed}}}"""));
        var rows = new EventBatch(new EventSchema("inputs", [new EventField("x", FieldType.Float64, true)]), 1) { Count = 1 };
        new GoldenRows(rows, [0.5]).Save(draft.PathOf(ModelFiles.Golden));
        return await store.PublishAsync(draft);
    }
}
