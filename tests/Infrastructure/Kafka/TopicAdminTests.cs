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
