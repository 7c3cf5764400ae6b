using System.CommandLine;
using System.Text.Json;
using StreamMl.Cli.Commands;

namespace StreamMl.Cli.Tests;

/// <summary>The program as it is called. Commands write to the console, which is one for the process: these tests run one after the other.</summary>
[Collection(nameof(CommandTests))]
public sealed class CommandTests
{
    private static readonly string Flights = Path.Combine(AppContext.BaseDirectory, "samples", "flights", "catalog.yaml");

    [Fact]
    public void Commands_All_HaveADescriptionAndNoNameTwice()
    {
        var commands = CommandList.All().ToList();
        commands.Select(c => c.Name).ShouldBeUnique();
        foreach (var command in commands)
        {
            command.Description.ShouldNotBeNullOrWhiteSpace(command.Name);
            command.Options.ShouldAllBe(o => !string.IsNullOrWhiteSpace(o.Description), command.Name);
        }
    }

    // Its archive went on at the old offsets, in a Kafka that had none of them: a stack trace, and exit code 0.
    [Fact]
    public async Task Up_EmbeddedKafkaBesideAnOldArchive_IsRefused()
    {
        var directory = Directory.CreateTempSubdirectory("streamml-up-").FullName;
        try
        {
            var old = Path.Combine(directory, "archive", "landings", "0");
            Directory.CreateDirectory(old);
            await File.WriteAllBytesAsync(Path.Combine(old, "00000000000000000000-00000000000000000009.arrow"), [], CancellationToken.None);
            var (code, output) = await RunAsync("up", "--catalog", Flights, "--dir", directory);
            code.ShouldBe(CommandRunner.Usage);
            output.ShouldContain("--dir");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Plan_Json_HasEveryViewOfTheSample()
    {
        var (code, output) = await RunAsync("plan", "--catalog", Flights, "--json");
        code.ShouldBe(0, output);
        using var plan = JsonDocument.Parse(output);
        var views = plan.RootElement.GetProperty("views").EnumerateArray().ToList();
        views.Count.ShouldBe(16);
        views[0].GetProperty("levels")[0].GetProperty("hop").GetString().ShouldBe("1m");
        plan.RootElement.GetProperty("services")[0].GetProperty("columns").GetInt32().ShouldBe(237);
    }

    [Theory]
    [InlineData("aircraft=many", "'aircraft=many' is no count")]
    [InlineData("plane=5,7", "'plane' is no entity of a view")]
    [InlineData("aircraft=5000", "origin")]
    public async Task Plan_EntitiesThatSayNothing_AreRefusedByName(string entities, string what)
    {
        var (code, output) = await RunAsync("plan", "--catalog", Flights, "--entities", entities);
        code.ShouldBe(CommandRunner.Usage, output);
        output.ShouldContain(what);
    }

    [Fact]
    public async Task Plan_WhereADemoRan_FindsItsCatalogue()
    {
        var folder = Directory.CreateTempSubdirectory("streamml-cli-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, CommonOptions.SavedCatalog), Flights, TestContext.Current.CancellationToken);
        var (code, output) = await RunAsync("plan", "--dir", folder, "--json");
        Directory.Delete(folder, recursive: true);
        code.ShouldBe(0, output);
        output.ShouldContain("origin_departed");
    }

    [Fact]
    public async Task Plan_AgainstAnotherPartitionCount_FailsAndNamesTheLine()
    {
        var folder = Directory.CreateTempSubdirectory("streamml-cli-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "schemas"));
        foreach (var schema in Directory.EnumerateFiles(Path.Combine(Path.GetDirectoryName(Flights)!, "schemas")))
            File.Copy(schema, Path.Combine(folder, "schemas", Path.GetFileName(schema)));
        var changed = Path.Combine(folder, "catalog.yaml");
        await File.WriteAllTextAsync(changed, (await File.ReadAllTextAsync(Flights, TestContext.Current.CancellationToken)).Replace("partitions: 2", "partitions: 3", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        var (code, output) = await RunAsync("plan", "--catalog", changed, "--against", Flights);
        Directory.Delete(folder, recursive: true);
        code.ShouldBe(CommandRunner.Failed, output);
        output.ShouldContain("catalog.yaml:");
        output.ShouldContain("3 partitions, and its topic was made with 2");
    }

    [Fact]
    public async Task Worker_WithoutItsServers_SaysWhichAreMissing()
    {
        var (code, output) = await RunAsync("features", "--catalog", Flights, "--dir", Path.Combine(Path.GetTempPath(), "streamml-nothing-here"), "--kafka", "127.0.0.1:1");
        code.ShouldBe(CommandRunner.Usage, output);
        output.ShouldContain("--redis, --registry is missing");
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var root = new RootCommand();
        foreach (var command in CommandList.All())
            root.Subcommands.Add(command);
        var (output, error) = (Console.Out, Console.Error);
        var written = new StringWriter();
        Console.SetOut(written);
        Console.SetError(written);
        try
        {
            return (await CommandRunner.RunAsync(root, arguments), written.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }
}
