using System.CommandLine;
using System.Runtime.InteropServices;
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

    /// <summary>A worker's drain was cut short two seconds after it was asked to stop, with code 143: its store was away, and 20 s were allowed.</summary>
    [Fact]
    public async Task Run_AskedToStop_TheCommandTakesTheTimeThatItNeeds()
    {
        var (started, stopped, ended) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        var root = new RootCommand();
        root.SetAction(async (_, stop) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            stopped.SetResult();
            await ended.Task; // drains, for as long as the test likes
            return 0;
        });
        using var signals = new StopSignals(_ => throw new InvalidOperationException("a second signal"));
        var run = CommandRunner.RunAsync(root.Parse([]), signals.Asked);
        await started.Task;
        signals.Take(new PosixSignalContext(PosixSignal.SIGTERM));
        await stopped.Task;
        run.IsCompleted.ShouldBeFalse();
        ended.SetResult();
        (await run).ShouldBe(0);
    }

    [Fact]
    public void StopSignals_TheSecondEndsTheProcess()
    {
        var codes = new List<int>();
        using var signals = new StopSignals(codes.Add);
        var first = new PosixSignalContext(PosixSignal.SIGINT);
        signals.Take(first);
        first.Cancel.ShouldBeTrue();
        codes.ShouldBeEmpty();
        signals.Take(new PosixSignalContext(PosixSignal.SIGINT));
        codes.ShouldBe([130]);
    }

    private static Task<int> RunAsync(Exception error)
    {
        var root = new RootCommand();
        root.SetAction((_, _) => Task.FromException<int>(error));
        return CommandRunner.RunAsync(root, []);
    }
}
