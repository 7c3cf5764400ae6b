using System.CommandLine;
using StreamMl.Cli.Commands;
using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;
using StreamMl.Training.Tracking;

namespace StreamMl.Cli.Tests.Commands;

/// <summary>The commands' exit codes and what they do to the registry and the runs; what they print is for people.</summary>
[Collection(nameof(CommandTests))]
public sealed class RegistryCommandTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("streamml-").FullName;

    private ModelStore Store => ModelStore.In(directory, TimeProvider.System);

    [Fact]
    public async Task Promote_ExpectsAnotherVersion_MovesNothing()
    {
        var (one, two) = (await PublishAsync(1), await PublishAsync(2));
        (await RunAsync("models", "promote", "late", one.Version, "--why", "first")).ShouldBe(0);
        Store.AliasOf("late", "champion").ShouldBe(one.Version);
        (await RunAsync("models", "promote", "late", two.Version, "--expect", "none")).ShouldBe(CommandRunner.Usage);
        Store.AliasOf("late", "champion").ShouldBe(one.Version);
        (await RunAsync("models", "promote", "late", two.Version[..6], "--expect", one.Version, "--alias", "champion")).ShouldBe(0);
        Store.AliasOf("late", "champion").ShouldBe(two.Version);
        Store.Journal("late").ShouldContain(c => c.Why == "first");
    }

    [Fact]
    public async Task Promote_DamagedModel_IsRefused()
    {
        var version = await PublishAsync(1);
        await File.WriteAllTextAsync(Store.Open(version).PathOf(ModelFiles.Model), "{ }", TestContext.Current.CancellationToken);
        (await RunAsync("models", "promote", "late", version.Version)).ShouldBe(CommandRunner.Usage);
        Store.AliasOf("late", "champion").ShouldBeNull();
    }

    [Fact]
    public async Task Delete_WithoutYes_DeletesNothing()
    {
        var (one, two) = (await PublishAsync(1), await PublishAsync(2));
        await RunAsync("models", "promote", "late", one.Version);
        (await RunAsync("models", "delete", "late")).ShouldBe(0);
        Store.Versions("late").Count.ShouldBe(2);
        (await RunAsync("models", "delete", "late", one.Version, "--yes")).ShouldBe(CommandRunner.Usage);
        (await RunAsync("models", "delete", "late", "--yes")).ShouldBe(0);
        Store.Versions("late").ShouldHaveSingleItem().Version.ShouldBe(one);
        two.ShouldNotBe(one);
    }

    [Theory]
    [InlineData(0, "models", "list")]
    [InlineData(0, "models", "list", "--json")]
    [InlineData(0, "models", "show", "late@champion")]
    [InlineData(0, "models", "show", "late", "--json")]
    [InlineData(0, "models", "compare", "late", "late@challenger")]
    [InlineData(2, "models", "show", "early")]
    [InlineData(0, "runs", "list", "--sort", "metrics.auc", "--filter", "metrics.auc > 0.5")]
    [InlineData(0, "runs", "list", "flights", "--json")]
    [InlineData(2, "runs", "list", "--filter", "auc > 0.5")]
    [InlineData(2, "runs", "show", "nothing")]
    [InlineData(2, "runs", "rerun", "nothing")]
    public async Task Look_AtWhatIsThere_AnswersOrSaysWhy(int code, params string[] arguments)
    {
        await RunAsync("models", "promote", "late", (await PublishAsync(1)).Version);
        await RunAsync("models", "promote", "late", (await PublishAsync(2)).Version, "--alias", "challenger");
        var run = RunStore.In(directory, TimeProvider.System).Start("flights");
        await run.LogMetricAsync("auc", 0.7);
        (await RunAsync(arguments)).ShouldBe(code);
    }

    [Fact]
    public async Task Compare_TwoRuns_Answers()
    {
        var store = RunStore.In(directory, TimeProvider.System);
        (await RunAsync("runs", "compare", store.Start("flights").Id, store.Start("flights").Id)).ShouldBe(0);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private Task<int> RunAsync(params string[] arguments)
    {
        var root = new RootCommand();
        root.Subcommands.Add(ModelsCommand.Create());
        root.Subcommands.Add(RunsCommand.Create());
        return CommandRunner.RunAsync(root, [.. arguments, "--dir", directory]);
    }

    private async Task<ModelVersion> PublishAsync(long seed)
    {
        using var draft = Store.Begin(new ModelManifest
        {
            Name = "late",
            Task = "Binary",
            Service = "arrival_delay",
            ServiceHash = "5e1f",
            Inputs = [new ModelInputColumn("x", "Float64", "Stored")],
            Label = "late",
            Lineage = new ModelLineage { TrainingManifestHash = null, RunId = null, GitCommit = null, Seed = seed, Config = null },
        });
        draft.Write(ModelFiles.Model, "{}"u8);
        draft.Write(ModelFiles.Metrics, new ModelMetrics { Main = "auc", Splits = [new SplitMetrics("test", 10, null, null, new Dictionary<string, MetricEstimate> { ["auc"] = new(0.7 + (seed / 100.0)) })] }.ToJson());
        new GoldenRows(new EventBatch(new EventSchema("inputs", [new EventField("x", FieldType.Float64, true)]), 1) { Count = 1 }, [0.5]).Save(draft.PathOf(ModelFiles.Golden));
        return await Store.PublishAsync(draft);
    }
}
