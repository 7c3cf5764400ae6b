using StreamMl.Shared;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;

namespace StreamMl.StreamFeatures.Tests.Logs;

/// <summary>A topic that got more partitions, on a real Kafka: workers stop, and one message says all that must be done.</summary>
public sealed class PartitionCountTests(KafkaFixture kafka, RedisFixture redis)
{
    [Theory]
    [InlineData("aircraft_landed")]
    [InlineData("aircraft_landed", "origin_landed")]
    public async Task Worker_TopicGetsAPartitionWhileItRuns_StopsAndNamesBothCounts(params string[] views)
    {
        await using var lab = await CutLab.StartAsync(kafka, redis, "grown", views);
        using var host = lab.Worker();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await lab.ProduceAsync(0, 100);
        await lab.CountedAsync(100);

        await lab.AddPartitionAsync();

        var error = await CutLab.FaultOfAsync<TopicChangedException>(host);
        error.Message.ShouldContain($"topic '{lab.Topic}' has 3 partitions, and the store's states were made from 2");
        error.Message.ShouldContain("streamml reset --all --yes");
    }

    [Fact]
    public async Task Worker_CatalogueFollowsTheNewCount_OneMessageNamesEveryTopicToDelete()
    {
        await using var lab = await CutLab.StartAsync(kafka, redis, "followed", "aircraft_landed", "origin_landed");
        await lab.ProduceAsync(0, 100);
        await lab.WorkAsync(100);
        await lab.AddPartitionAsync();

        var before = await lab.FaultAsync<SetupException>();
        before.Message.ShouldContain($"topic '{lab.Topic}' has 3 partitions, and the catalogue says 2 (partitions of source 'landings')");
        before.Message.ShouldContain($"delete the topics {lab.Topic}, {lab.Topic}.dead-letter, {lab.Topic}.by.origin, {lab.Topic}.by.origin.dead-letter (");

        lab.Catalog = lab.Catalog with { Sources = [lab.Catalog.Sources[0] with { Partitions = 3 }] };
        var after = await lab.FaultAsync<SetupException>();
        after.Message.ShouldContain($"topic '{lab.Topic}.dead-letter' has 2 partitions, topic '{lab.Topic}.by.origin' has 2 partitions, topic '{lab.Topic}.by.origin.dead-letter' has 2 partitions, and the catalogue says 3");
        after.Message.ShouldContain($"delete the topics {lab.Topic}.dead-letter, {lab.Topic}.by.origin, {lab.Topic}.by.origin.dead-letter (");
        after.Message.ShouldContain("leave the catalogue as it is");
    }
}
