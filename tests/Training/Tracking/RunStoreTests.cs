using StreamMl.Training.Tracking;

namespace StreamMl.Training.Tests.Tracking;

public sealed class RunStoreTests
{
    [Fact]
    public async Task Start_FirstRunsOfAnExperimentAtOnce_AllAreThere()
    {
        using var lab = new RunLab();
        var store = RunStore.In(lab.Directory, TimeProvider.System);
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => store.Start("at once", r => r with { Seed = i }).Id)));
        ids.Distinct().Count().ShouldBe(8);
        store.Experiments().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Load_EndedRun_HasWhatWasLogged()
    {
        using var lab = new RunLab();
        var run = await lab.RunAsync("first", 0.77, 100);
        await run.LogTimingAsync("fit", TimeSpan.FromSeconds(1.5));
        var read = lab.Store.Load(run.Id);
        read.Record.Status.ShouldBe(RunStatus.Finished);
        read.Record.Params["trees"].ShouldBe("100");
        read.Record.TimingsSeconds["fit"].ShouldBe(1.5);
        read.Record.Seed.ShouldBe(7);
        read.Metrics["auc"].ShouldBe(new MetricPoint("auc", 0.77, 2, lab.Time.GetUtcNow().ToUnixTimeMilliseconds()));
        run.History().Select(p => p.Value).ShouldBe([0.385, 0.77]);
    }

    [Fact]
    public async Task Metrics_NotFinite_AreKept()
    {
        using var lab = new RunLab();
        var run = lab.Store.Start("flights");
        await run.LogMetricAsync("loss", double.NaN);
        await run.LogMetricAsync("gain", double.NegativeInfinity);
        run.Read().Metrics["loss"].Value.ShouldBe(double.NaN);
        run.Read().Metrics["gain"].Value.ShouldBe(double.NegativeInfinity);
    }

    [Fact]
    public async Task LogMetric_AfterATornLine_LosesOnlyThat()
    {
        using var lab = new RunLab();
        var run = await lab.RunAsync("first", 0.77, 100);
        var file = Path.Combine(run.Directory, "metrics.jsonl");
        await File.AppendAllTextAsync(file, "{\"key\":\"auc\",\"val", TestContext.Current.CancellationToken);
        run.History().Count.ShouldBe(2);
        await run.LogMetricAsync("brier", 0.1);
        run.History().Select(p => p.Key).ShouldBe(["auc", "auc", "brier"]);
    }

    [Fact]
    public async Task LogParam_AnotherValue_IsRefused()
    {
        using var lab = new RunLab();
        var run = await lab.RunAsync("first", 0.77, 100);
        await run.LogParamsAsync(new Dictionary<string, string> { ["trees"] = "100" });
        (await Should.ThrowAsync<TrackingException>(() => run.LogParamsAsync(new Dictionary<string, string> { ["trees"] = "200" }))).Message.ShouldContain("'100' and cannot become '200'");
    }

    [Fact]
    public async Task Start_ManyAtOneInstant_AreDifferentRuns()
    {
        using var lab = new RunLab();
        lab.Store.EnsureExperiment("flights");
        var runs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => lab.Store.Start("flights").Id)));
        runs.Distinct().Count().ShouldBe(20);
        lab.Store.Runs().Count.ShouldBe(20);
    }

    [Fact]
    public async Task SetTags_ManyAtOnce_LosesNone()
    {
        using var lab = new RunLab();
        var store = RunStore.In(lab.Directory, TimeProvider.System);
        var run = store.Start("flights");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => store.Open(run.Id).SetTagsAsync(new Dictionary<string, string> { [$"t{i}"] = "x" }))));
        run.Read().Record.Tags.Count.ShouldBe(20);
    }

    [Fact]
    public async Task Load_PartOfAnId_FindsTheOne()
    {
        using var lab = new RunLab();
        var (one, two) = (await lab.RunAsync("first", 0.7, 1), await lab.RunAsync("second", 0.8, 2));
        lab.Store.Load(one.Id[^6..]).Record.Name.ShouldBe("first");
        Should.Throw<TrackingException>(() => lab.Store.Load(two.Id[..8])).Message.ShouldContain("the beginning of 2 runs");
        Should.Throw<TrackingException>(() => lab.Store.Load("nothing")).Problem.ShouldBe(TrackingProblem.Missing);
        Should.Throw<TrackingException>(() => lab.Store.Load("../x"));
    }

    [Fact]
    public void ArtifactPath_OutOfTheRun_IsRefused()
    {
        using var lab = new RunLab();
        var run = lab.Store.Start("flights");
        run.ArtifactPath("plots/roc.svg").ShouldStartWith(run.Directory);
        Should.Throw<TrackingException>(() => run.ArtifactPath("../run.json"));
    }

    [Theory]
    [InlineData("/Users/ann/late flights", true)]
    [InlineData("", false)]
    [InlineData("..", false)]
    public void Experiment_AnyName_IsOneFolderInside(string name, bool possible)
    {
        using var lab = new RunLab();
        if (!possible)
        {
            Should.Throw<TrackingException>(() => lab.Store.EnsureExperiment(name));
            return;
        }

        var experiment = lab.Store.EnsureExperiment(name);
        lab.Store.EnsureExperiment(name).Id.ShouldBe(experiment.Id);
        Path.GetDirectoryName(lab.Store.FolderOf(experiment)).ShouldBe(Path.Combine(lab.Directory, "runs"));
    }
}
