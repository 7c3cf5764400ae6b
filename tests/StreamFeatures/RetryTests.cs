using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Partitions;

namespace StreamMl.StreamFeatures.Tests;

/// <summary>What is tried again, and what ends the worker.</summary>
public sealed class RetryTests
{
    private readonly Retry retry = new(new StreamFeaturesOptions { RetryDelayMs = 1 }, TimeProvider.System, NullLogger<Retry>.Instance);

    public static TheoryData<Exception> Passing =>
    [
        new StoreUnavailableException("away", null), new HttpRequestException("registry away"), Kafka(ErrorCode.Local_Transport), Kafka(ErrorCode.Local_TimedOut), Kafka(ErrorCode.LeaderNotAvailable),
    ];

    public static TheoryData<Exception> Lasting =>
        [new InvalidOperationException("no such topic"), Kafka(ErrorCode.TopicAuthorizationFailed), new KafkaException(new Error(ErrorCode.Local_Fatal, "fatal", isFatal: true))];

    [Theory]
    [MemberData(nameof(Passing), DisableDiscoveryEnumeration = true)]
    public async Task Run_ServerIsAway_IsTriedUntilItIsBack(Exception error)
    {
        var left = 3;
        (await retry.RunAsync(_ => left-- > 0 ? throw error : Task.FromResult(7), TestContext.Current.CancellationToken)).ShouldBe(7);
    }

    [Theory]
    [MemberData(nameof(Lasting), DisableDiscoveryEnumeration = true)]
    public async Task Run_WaitingWouldNotHelp_PassesThrough(Exception error)
    {
        var calls = 0;
        (await Should.ThrowAsync<Exception>(() => retry.RunAsync(_ => ++calls > 0 ? throw error : Task.FromResult(7), TestContext.Current.CancellationToken))).ShouldBeSameAs(error);
        calls.ShouldBe(1);
    }

    private static KafkaException Kafka(ErrorCode code) => new(new Error(code));
}
