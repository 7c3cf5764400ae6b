using StreamMl.Infrastructure.Kafka;
using StreamMl.Integration.Tests.Chaos.Servers;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Log;
using StreamMl.TestKit.Servers;

namespace StreamMl.Integration.Tests;

/// <summary>A client that has asked a broker for a partition's end once takes it for the leader for minutes; on a cluster the lead moves meanwhile.</summary>
public sealed class LeaderMovesTests
{
    private const int Partitions = 6;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ends_LeaderCameBackWithoutItsLead_AreAskedOfTheNewLeader()
    {
        if (ChaosBroker.WhyNot is { } why)
            TestEnvironment.Skip($"this needs a Kafka that it can kill: {why}");
        await using var broker = await ChaosBroker.StartAsync(TestEnvironment.TemporaryDirectory("leaders"), sessionTimeoutMs: 3_000, nodes: 3);
        using var admin = new TopicAdmin(broker.Endpoint);
        using var ends = new KafkaTopicEnds(new KafkaConsumerFactory(broker.Endpoint));
        await admin.EnsureTopicAsync("led", Partitions, Stop);
        var all = Enumerable.Range(0, Partitions).Select(p => new PartitionId("led", p)).ToList();
        await using (var producer = new KafkaProducerFactory(broker.Endpoint).Create())
        {
            await producer.SendAsync(all[0].Topic, [1], [2], 0, null, Stop);
        }

        (await admin.StableEndsAsync(all, Stop)).Values.Sum().ShouldBe(1);
        (await ends.EndsAsync(all, Stop)).Sum().ShouldBe(1);

        await broker.RestartAsync();

        (await admin.StableEndsAsync(all, Stop)).Values.Sum().ShouldBe(1);
        (await ends.EndsAsync(all, Stop)).Sum().ShouldBe(1);
    }
}
