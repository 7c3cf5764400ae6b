using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.TestKit.Servers;

namespace StreamMl.Infrastructure.Tests.Kafka;

public sealed class TopicAdminTests(KafkaFixture kafka)
{
    [Fact]
    public async Task PartitionCount_OfNoTopic_IsNullAndMakesNone()
    {
        using var admin = new TopicAdmin(kafka.Endpoint);
        string topic = TestEnvironment.UniqueName("absent");
        for (int i = 0; i < 3; i++) (await admin.PartitionCountAsync(topic, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task EnsureTopic_TwiceAtOnce_IsThereOnce()
    {
        using var admin = new TopicAdmin(kafka.Endpoint);
        string topic = TestEnvironment.UniqueName("ensured");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => admin.EnsureTopicAsync(topic, 3, CancellationToken.None)));
        (await admin.PartitionCountAsync(topic, CancellationToken.None)).ShouldBe(3);
        (await admin.OffsetsAsync(new PartitionId(topic, 2), CancellationToken.None)).ShouldBe((0, 0));
    }

    [Fact]
    public async Task EnsureTopic_RecordsOfLastYear_AreNotDeletedForTheirAge()
    {
        kafka.RequireReal("topic settings");
        using var admin = new TopicAdmin(kafka.Endpoint);
        string topic = TestEnvironment.UniqueName("kept");
        await admin.EnsureTopicAsync(topic, 1, CancellationToken.None, new Dictionary<string, string>(StringComparer.Ordinal) { ["segment.bytes"] = "1048576" });
        string other = TestEnvironment.UniqueName("kept");
        await admin.EnsureTopicAsync(other, 1, CancellationToken.None, new Dictionary<string, string>(StringComparer.Ordinal) { ["retention.ms"] = "60000" });
        using var client = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.Endpoint.BootstrapServers }).Build();
        var configs = await client.DescribeConfigsAsync([new() { Type = ResourceType.Topic, Name = topic }, new() { Type = ResourceType.Topic, Name = other }]);
        configs.Select(c => c.Entries["retention.ms"].Value).ShouldBe(["-1", "60000"], "it counts from arrival times, and a replay's are old");
        configs[0].Entries["segment.bytes"].Value.ShouldBe("1048576");
    }

    [Fact]
    public async Task EnsureTopic_WithAnotherCount_IsRefusedWithTheRemedy()
    {
        using var admin = new TopicAdmin(kafka.Endpoint);
        string topic = await kafka.CreateTopicAsync("counted", 2);
        var error = await Should.ThrowAsync<InvalidOperationException>(admin.EnsureTopicAsync(topic, 5, CancellationToken.None));
        error.Message.ShouldContain("has 2 partitions and 5 are wanted");
    }

    [Fact]
    public async Task Producer_ToNoTopic_SaysSo()
    {
        await using var producer = new KafkaProducerFactory(kafka.Endpoint).Create();
        var error = await Should.ThrowAsync<InvalidOperationException>(
            async () => await producer.SendAsync(TestEnvironment.UniqueName("none"), [1], [2], 0, null, CancellationToken.None));
        error.Message.ShouldContain("make it before producing");
    }
}
