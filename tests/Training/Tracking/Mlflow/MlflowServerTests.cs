using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace StreamMl.Training.Tests.Tracking.Mlflow;

/// <summary>The published shapes of MLflow's REST API 2.0, asked by plain HTTP.</summary>
public sealed class MlflowServerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_CreatedLoggedAndEnded_IsReadBack()
    {
        await using var lab = await MlflowLab.StartAsync();
        var experiment = (string)(await lab.PostAsync("experiments/create", new { name = "late flights", tags = new[] { new { key = "team", value = "ops" } } }))["experiment_id"]!;
        var info = (await lab.PostAsync("runs/create", new { experiment_id = experiment, user_id = "ann", run_name = "first", start_time = "1700000000000" }))["run"]!["info"]!;
        var id = (string)info["run_id"]!;
        ((string)info["status"]!).ShouldBe("RUNNING");
        ((long)info["start_time"]!).ShouldBe(1_700_000_000_000);
        ((string)info["artifact_uri"]!).ShouldBe($"mlflow-artifacts:/{experiment}/{id}/artifacts");

        await lab.PostAsync("runs/log-parameter", new { run_id = id, key = "trees", value = "100" });
        await lab.PostAsync("runs/log-metric", new { run_uuid = id, key = "auc", value = 0.7, timestamp = 1, step = 0 });
        await lab.PostAsync("runs/log-batch", new
        {
            run_id = id,
            metrics = new object[] { new { key = "auc", value = 0.77, timestamp = "2", step = "1" }, new { key = "loss", value = "NaN", timestamp = 3, step = 0 } },
            @params = new[] { new { key = "leaves", value = "31" } },
            tags = new[] { new { key = "mlflow.runName", value = "renamed" }, new { key = "note", value = "é" } },
        });
        await lab.PostAsync("runs/update", new { run_id = id, status = "FINISHED", end_time = 1_700_000_060_000 });

        var run = (await lab.GetAsync($"runs/get?run_id={id}"))["run"]!;
        ((string)run["info"]!["run_name"]!).ShouldBe("renamed");
        ((string)run["info"]!["status"]!).ShouldBe("FINISHED");
        ((long)run["info"]!["end_time"]!).ShouldBe(1_700_000_060_000);
        Pairs(run["data"]!["params"]!).ShouldBe(new Dictionary<string, string> { ["leaves"] = "31", ["trees"] = "100" }, ignoreOrder: true);
        Pairs(run["data"]!["tags"]!)["note"].ShouldBe("é");
        run["data"]!["metrics"]!.AsArray().Single(m => (string)m!["key"]! == "auc")!["value"]!.GetValue<double>().ShouldBe(0.77);
        ((string)run["data"]!["metrics"]!.AsArray().Single(m => (string)m!["key"]! == "loss")!["value"]!).ShouldBe("NaN");
        (await lab.GetAsync($"metrics/get-history?run_id={id}&metric_key=auc"))["metrics"]!.AsArray().Select(m => m!["value"]!.GetValue<double>()).ShouldBe([0.7, 0.77]);
    }

    [Fact]
    public async Task Experiments_NotThere_AnswerInMlflowsWords()
    {
        await using var lab = await MlflowLab.StartAsync();
        (await lab.RefusalAsync("experiments/get?experiment_id=77")).ShouldBe((404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=77 exists"));
        (await lab.RefusalAsync("experiments/get-by-name?experiment_name=x")).Code.ShouldBe("RESOURCE_DOES_NOT_EXIST");
        (await lab.RefusalAsync("experiments/create", new { name = "Default" })).ShouldBe((400, "RESOURCE_ALREADY_EXISTS", "experiment 'Default' exists"));
        (await lab.RefusalAsync("experiments/create", new { })).ShouldBe((400, "INVALID_PARAMETER_VALUE", "'name' is missing"));
        (await lab.RefusalAsync("runs/get?run_id=none")).Code.ShouldBe("RESOURCE_DOES_NOT_EXIST");
        (await lab.RefusalAsync("gateway/routes")).ShouldSatisfyAllConditions(r => r.Status.ShouldBe(404), r => r.Code.ShouldBe("ENDPOINT_NOT_FOUND"));
        (await lab.RefusalAsync("runs/search", new { experiment_ids = new[] { "0" }, filter = "size > 1" })).Code.ShouldBe("INVALID_PARAMETER_VALUE");
        (await lab.RefusalAsync("runs/search", new { experiment_ids = new[] { "0" }, max_results = 0 })).Code.ShouldBe("INVALID_PARAMETER_VALUE");
        (await lab.RefusalAsync("runs/search", new { experiment_ids = new[] { "0" }, page_token = "moon" })).Code.ShouldBe("INVALID_PARAMETER_VALUE");
    }

    [Fact]
    public async Task Experiments_Listed_HaveTheDefaultOne()
    {
        await using var lab = await MlflowLab.StartAsync();
        await lab.PostAsync("experiments/create", new { name = "b" });
        var a = (string)(await lab.PostAsync("experiments/create", new { name = "a" }))["experiment_id"]!;
        string[] Names(JsonNode answer) => [.. answer["experiments"]!.AsArray().Select(e => (string)e!["name"]!)];
        Names(await lab.GetAsync("experiments/search?max_results=100")).ShouldBe(["Default", "a", "b"]);
        Names(await lab.GetAsync("experiments/list")).ShouldBe(["Default", "a", "b"]);
        Names(await lab.PostAsync("experiments/search", new { filter = "name LIKE 'D%'" })).ShouldBe(["Default"]);
        await lab.PostAsync("experiments/delete", new { experiment_id = a });
        Names(await lab.PostAsync("experiments/search", new { view_type = "ACTIVE_ONLY" })).ShouldBe(["Default", "b"]);
        Names(await lab.PostAsync("experiments/search", new { view_type = "DELETED_ONLY" })).ShouldBe(["a"]);
        await lab.PostAsync("experiments/restore", new { experiment_id = a });
        await lab.PostAsync("experiments/update", new { experiment_id = a, new_name = "c" });
        await lab.PostAsync("experiments/set-experiment-tag", new { experiment_id = a, key = "k", value = "v" });
        var changed = (await lab.GetAsync("experiments/get-by-name?experiment_name=c"))["experiment"]!;
        ((string)changed["experiment_id"]!).ShouldBe(a);
        Pairs(changed["tags"]!)["k"].ShouldBe("v");
        ((string)(await lab.GetAsync("experiments/get?experiment_id=0"))["experiment"]!["name"]!).ShouldBe("Default");
    }

    [Fact]
    public async Task SearchRuns_FilterOrderAndPages_ComeInOrder()
    {
        await using var lab = await MlflowLab.StartAsync();
        for (var i = 0; i < 7; i++)
            await lab.Runs.RunAsync("run" + i, 0.5 + (i * 0.05), i * 10);
        var id = lab.Runs.Store.EnsureExperiment("flights").Id;
        var names = new List<string>();
        string? token = null;
        do
        {
            var page = await lab.PostAsync("runs/search", new { experiment_ids = new[] { id }, filter = "metrics.auc >= 0.55 and tags.team = 'research'", order_by = new[] { "metrics.auc DESC" }, max_results = 2, page_token = token });
            page["runs"]!.AsArray().Count.ShouldBeLessThanOrEqualTo(2);
            names.AddRange(page["runs"]!.AsArray().Select(r => (string)r!["info"]!["run_name"]!));
            token = (string?)page["next_page_token"];
        }
        while (token is not null);
        names.ShouldBe(["run5", "run4", "run3", "run2", "run1"]);
    }

    [Fact]
    public async Task Runs_DeletedAndRestored_ComeAndGo()
    {
        await using var lab = await MlflowLab.StartAsync();
        var run = await lab.Runs.RunAsync("one", 0.7, 3);
        var search = new { experiment_ids = new[] { lab.Runs.Store.EnsureExperiment("flights").Id } };
        await lab.PostAsync("runs/delete", new { run_id = run.Id });
        (await lab.PostAsync("runs/search", search))["runs"]!.AsArray().Count.ShouldBe(0);
        (await lab.RefusalAsync("runs/log-metric", new { run_id = run.Id, key = "x", value = 1, timestamp = 1 })).Message.ShouldContain("deleted");
        await lab.PostAsync("runs/restore", new { run_id = run.Id });
        (await lab.PostAsync("runs/search", search))["runs"]!.AsArray().Count.ShouldBe(1);
        await lab.PostAsync("runs/delete-tag", new { run_id = run.Id, key = "team" });
        run.Read().Record.Tags.ShouldBeEmpty();
        (await lab.RefusalAsync("runs/log-parameter", new { run_id = run.Id, key = "trees", value = "4" })).Code.ShouldBe("INVALID_PARAMETER_VALUE");
    }

    [Fact]
    public async Task LogBatch_OneBadMetric_ChangesNothing()
    {
        await using var lab = await MlflowLab.StartAsync();
        var run = await lab.Runs.RunAsync("one", 0.7, 3);
        var (_, code, _) = await lab.RefusalAsync("runs/log-batch", new
        {
            run_id = run.Id,
            metrics = new object[] { new { key = "a", value = 1, timestamp = 1 }, new { key = "b", value = "high", timestamp = 1 } },
            @params = new[] { new { key = "new", value = "1" } },
        });
        code.ShouldBe("INVALID_PARAMETER_VALUE");
        run.Read().Metrics.Keys.ShouldBe(["auc"]);
        run.Read().Record.Params.Keys.ShouldBe(["trees"]);
        (await lab.RefusalAsync("runs/log-batch", new { run_id = run.Id, metrics = Enumerable.Range(0, 1_001).Select(i => new { key = "k", value = i, timestamp = 1 }) })).Message.ShouldContain("at most 1000");
    }

    [Fact]
    public async Task Artifacts_UploadedThroughTheProxy_AreListedAndDownloaded()
    {
        await using var lab = await MlflowLab.StartAsync();
        var run = await lab.Runs.RunAsync("one", 0.7, 3);
        var uri = (string)(await lab.GetAsync($"runs/get?run_id={run.Id}"))["run"]!["info"]!["artifact_uri"]!;
        var proxied = "/api/2.0/mlflow-artifacts/artifacts/" + uri["mlflow-artifacts:/".Length..];
        (await lab.Http.PutAsync($"{proxied}/plots/roc curve.svg", new StringContent("<svg/>"), Stop)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await lab.Http.PutAsync($"{proxied}/notes.txt", new StringContent("hello"), Stop)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await lab.GetAsync($"artifacts/list?run_id={run.Id}")).ToJsonString().ShouldBe(
            $$"""{"files":[{"path":"notes.txt","is_dir":false,"file_size":5},{"path":"plots","is_dir":true}],"root_uri":"{{uri}}"}""");
        (await lab.GetAsync($"artifacts/list?run_id={run.Id}&path=plots"))["files"]![0]!["path"]!.GetValue<string>().ShouldBe("plots/roc curve.svg");
        (await lab.Http.GetStringAsync($"{proxied}/plots/roc%20curve.svg", Stop)).ShouldBe("<svg/>");
        (await lab.Http.GetStringAsync($"/api/2.0/mlflow-artifacts/artifacts?path={uri["mlflow-artifacts:/".Length..]}/plots", Stop)).ShouldContain("\"path\":\"roc curve.svg\"");
        (await lab.Http.DeleteAsync($"{proxied}/notes.txt", Stop)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await lab.Http.GetAsync($"{proxied}/notes.txt", Stop)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("..%2F..%2Frun.json")]
    [InlineData("%2e%2e/%2e%2e/run.json")]
    [InlineData("a%5C..%5Cb")]
    public async Task Artifacts_PathOutOfTheRun_IsRefused(string path)
    {
        await using var lab = await MlflowLab.StartAsync();
        var run = await lab.Runs.RunAsync("one", 0.7, 3);
        var id = lab.Runs.Store.EnsureExperiment("flights").Id;
        var answer = await lab.Http.PutAsync($"/api/2.0/mlflow-artifacts/artifacts/{id}/{run.Id}/artifacts/{path}", new StringContent("x"), Stop);
        ((int)answer.StatusCode).ShouldBeInRange(400, 404);
        run.Read().Record.Name.ShouldBe("one");
    }

    [Fact]
    public async Task Request_FromAnotherSitesPage_IsRefused()
    {
        await using var lab = await MlflowLab.StartAsync();
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/api/2.0/mlflow/experiments/search") { Headers = { Host = "evil.example" } };
        (await lab.Http.SendAsync(rebound, Stop)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await lab.Http.PostAsync("/api/2.0/mlflow/experiments/create", new StringContent("""{"name":"x"}""", Encoding.UTF8, "text/plain"), Stop)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task AjaxPaths_AreTheSame()
    {
        await using var lab = await MlflowLab.StartAsync();
        (await lab.Http.GetStringAsync("/ajax-api/2.0/mlflow/experiments/search", Stop)).ShouldBe(await lab.Http.GetStringAsync("/api/2.0/mlflow/experiments/search", Stop));
        (await lab.Http.GetStringAsync("/health", Stop)).ShouldBe("OK");
    }

    private static Dictionary<string, string> Pairs(JsonNode pairs) => pairs.AsArray().ToDictionary(p => (string)p!["key"]!, p => (string)p!["value"]!);
}
