using System.Text;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.TestKit.Servers;
using Testcontainers.Kafka;
using Testcontainers.Redis;

namespace StreamMl.Integration.Tests;

/// <summary>
/// The edges on servers in containers, as a user's compose or Kubernetes runs them. The other tests prefer servers that start faster; these two are what
/// says that the images work too. Skipped, with the reason, where no container can be started.
/// </summary>
public sealed class ContainerTests
{
    private const int Records = 1_000;

    [Fact]
    public async Task Kafka_InAContainer_GivesBackWhatWasProducedInOrder()
    {
        Require(KafkaFixture.Image);
        await using var container = new KafkaBuilder(KafkaFixture.Image).Build();
        await container.StartAsync(TestContext.Current.CancellationToken);
        var endpoint = KafkaEndpoint.Of(container.GetBootstrapAddress());
        using var admin = new TopicAdmin(endpoint);
        await admin.EnsureTopicAsync("landings", 2, TestContext.Current.CancellationToken);
        await using (var producer = new KafkaProducerFactory(endpoint).Create())
        {
            for (var i = 0; i < Records; i++)
                await producer.SendAsync("landings", Encoding.UTF8.GetBytes($"N{i % 7}"), BitConverter.GetBytes(i), 1_000_000L + i, null, TestContext.Current.CancellationToken);
            await producer.FlushAsync(TestContext.Current.CancellationToken);
        }

        var read = Read(endpoint);
        read.Count.ShouldBe(Records);
        foreach (var key in read.GroupBy(r => r.Key))
            key.Select(r => r.Value).ShouldBeInOrder();
        (await admin.PartitionCountAsync("landings", TestContext.Current.CancellationToken)).ShouldBe(2);
    }

    [Fact]
    public async Task Redis_InAContainer_CommitsOnceAndRefusesTheSecondOwner()
    {
        Require(RedisFixture.Image);
        await using var container = new RedisBuilder(RedisFixture.Image).Build();
        await container.StartAsync(TestContext.Current.CancellationToken);
        await using var connection = await RedisEndpoint.Of(container.GetConnectionString()).ConnectAsync(TestContext.Current.CancellationToken);
        var store = new RedisStateStore(connection);
        var log = new PartitionId("landings", 0);
        (await store.CommitAsync(Commit(log, null, 1), TestContext.Current.CancellationToken)).Status.ShouldBe(CommitStatus.Committed);
        (await store.CommitAsync(Commit(log, null, 2), TestContext.Current.CancellationToken)).Status.ShouldBe(CommitStatus.Refused);
        (await store.CommitAsync(Commit(log, [1], 3), TestContext.Current.CancellationToken)).Status.ShouldBe(CommitStatus.Committed);
        (await new RedisStoreDirectory(connection).ViewsAsync(TestContext.Current.CancellationToken)).ShouldHaveSingleItem().View.ShouldBe("v");
    }

    private static void Require(string image)
    {
        if (TestEnvironment.WhyNoContainer(image) is { } why) TestEnvironment.Skip(why);
    }

    private static List<(string Key, int Value)> Read(KafkaEndpoint endpoint)
    {
        using var source = new KafkaConsumerFactory(endpoint).CreateManagedSource();
        source.Assign([.. Enumerable.Range(0, 2).Select(p => new PartitionStart(new PartitionId("landings", p), PartitionStart.Beginning))]);
        using var batch = new RawRecordBatch();
        var read = new List<(string, int)>();
        for (var attempt = 0; attempt < 200 && read.Count < Records; attempt++)
        {
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
            for (var i = 0; i < batch.Count; i++)
                read.Add((Encoding.UTF8.GetString(batch.Key(i)), BitConverter.ToInt32(batch.Value(i))));
        }

        return read;
    }

    private static StoreCommit Commit(PartitionId log, byte[]? expected, byte position)
    {
        var key = Encoding.UTF8.GetBytes(LogNames.PositionKey(log, "v", "00000000"));
        var commit = new StoreCommit(log);
        commit.Expect(key, expected);
        commit.Set(LogNames.StateKey(log, "v", "00000000", "e"u8), [position]);
        commit.Set(key, [position]);
        return commit;
    }
}
