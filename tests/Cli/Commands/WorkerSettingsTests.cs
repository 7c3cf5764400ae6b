using System.CommandLine;
using StreamMl.Cli.Commands;
using StreamMl.Cli.Hosting;

namespace StreamMl.Cli.Tests.Commands;

/// <summary>What commands that do a worker's work take from its environment. The environment is one for the process: not beside others.</summary>
[Collection(nameof(CommandTests))]
public sealed class WorkerSettingsTests
{
    // `rollout` and `rebuild` made options of their own: on a broker with classic groups alone the one had no way to run.
    [Theory]
    [InlineData("rollout", "--against", "old.yaml")]
    [InlineData("rebuild", "--all")]
    [InlineData("reset", "--old")]
    public void CommandThatDoesAWorkersWork_EnvironmentOfTheWorkers_IsItsToo(params string[] arguments)
    {
        (string Name, string Value)[] environment = [("Features__UseConsumerProtocol", "false"), ("Features__GroupId", "of.the.environment"), ("Features__ResidentMaxBytes", "2097152")];
        foreach (var (name, value) in environment)
            Environment.SetEnvironmentVariable(name, value);
        try
        {
            using var plain = WorkerSettings.Of(Parse(arguments));
            plain.Features.UseConsumerProtocol.ShouldBeFalse();
            plain.Features.ResidentMaxBytes.ShouldBe(2 << 20);
            plain.Features.GroupId.ShouldBe("of.the.environment");
            using var named = WorkerSettings.Of(Parse([.. arguments, "--group", "named"]));
            named.Features.GroupId.ShouldBe("named");
        }
        finally
        {
            foreach (var (name, _) in environment)
                Environment.SetEnvironmentVariable(name, null);
        }
    }

    private static ParseResult Parse(string[] arguments)
    {
        var root = new RootCommand();
        foreach (var command in CommandList.All())
            root.Subcommands.Add(command);
        return root.Parse(arguments);
    }
}
