using System.CommandLine;
using Confluent.Kafka;
using StreamMl.Cli.Commands;
using StreamMl.Shared;

namespace StreamMl.Cli.Tests.Commands;

/// <summary>What the user can mend is a message; what only we can mend keeps its stack trace.</summary>
[Collection(nameof(CommandTests))]
public sealed class CommandRunnerTests
{
    [Fact]
    public async Task Run_WhatIsAroundIsNotAsItMustBe_IsUsageAndNoCrash()
    {
        (await RunAsync(new SetupException("the topic was recreated"))).ShouldBe(CommandRunner.Usage);
        (await RunAsync(new KafkaException(new Error(ErrorCode.Local_Transport)))).ShouldBe(CommandRunner.Usage);
    }

    [Fact]
    public async Task Run_ABugOfOurs_KeepsItsStackTrace() => await Should.ThrowAsync<InvalidOperationException>(() => RunAsync(new InvalidOperationException("collection was modified")));

    private static Task<int> RunAsync(Exception error)
    {
        var root = new RootCommand();
        root.SetAction((_, _) => Task.FromException<int>(error));
        return CommandRunner.RunAsync(root, []);
    }
}
