using System.Text;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Tests.Kafka;

public sealed class EmbeddedKafkaTests
{
    [Fact]
    public async Task CreateTopic_WithPartitions_IsSeenByAnyClient()
    {
        await using var kafka = EmbeddedKafka.Start();
        kafka.CreateTopic("seven", 7);

        // The same cluster as a client elsewhere sees it: by its address alone.
        using var admin = new TopicAdmin(KafkaEndpoint.Of(kafka.BootstrapServers));
        (await admin.PartitionCountAsync("seven", CancellationToken.None)).ShouldBe(7);
        await admin.EnsureTopicAsync("seven", 7, CancellationToken.None);
    }

    [Fact]
    public async Task CreateTopic_WithAnotherCount_IsRefused()
    {
        await using var kafka = EmbeddedKafka.Start();
        kafka.CreateTopic("t", 2);
        kafka.CreateTopic("t", 2);
        Should.Throw<InvalidOperationException>(() => kafka.CreateTopic("t", 3)).Message.ShouldContain("has 2 partitions and 3 are wanted");
    }

    [Fact]
    public async Task Producer_FarMoreThanTheClusterKeeps_LosesNothing()
    {
        await using var kafka = EmbeddedKafka.Start();
        var endpoint = KafkaEndpoint.Of(kafka);
        var partition = new PartitionId("big", 0);
        kafka.CreateTopic("big", 1);
        using var reader = kafka.Budget.AddReader("big", "test");
        await using var producer = new KafkaProducerFactory(endpoint).Create();
        const int records = 20_000, size = 1_000;
        var sending = Task.Run(async () =>
        {
            for (int i = 0; i < records; i++)
            {
                await producer.SendAsync(partition, Encoding.UTF8.GetBytes($"{i}"), new byte[size], i * 1000L, null, CancellationToken.None);
            }

            await producer.FlushAsync(CancellationToken.None);
        });
        using var source = new KafkaConsumerFactory(endpoint).CreateSource();
        source.Assign([new(partition, PartitionStart.Beginning)]);
        using var batch = new RawRecordBatch();
        long next = 0;
        while (next < records)
        {
            source.TryReadBatch(batch, TimeSpan.FromSeconds(10)).ShouldBeTrue(kafka.Budget.Describe(partition));
            foreach (var record in batch.Records) record.Offset.ShouldBe(next++);
            reader.Release(0, next);
        }

        await sending;
        producer.DeliveredEnds[partition].ShouldBe(records);
        kafka.Budget.HeldBytes(partition).ShouldBe(0);
    }

    [Fact]
    public async Task Trim_WhatAllReadersHave_StaysAsFarAsIsSaid()
    {
        await using var kafka = EmbeddedKafka.Start(keptRecords: 100);
        var endpoint = KafkaEndpoint.Of(kafka);
        kafka.CreateTopic("read", 1);
        kafka.CreateTopic("unread", 1);
        using var fast = kafka.Budget.AddReader("read", "fast");
        using var slow = kafka.Budget.AddReader("read", "slow");
        await using var producer = new KafkaProducerFactory(endpoint).Create();
        for (int i = 0; i < 1_000; i++)
        {
            foreach (var topic in new[] { "read", "unread" }) await producer.SendAsync(new PartitionId(topic, 0), null, new byte[10], i * 1000L, null, CancellationToken.None);
        }

        await producer.FlushAsync(CancellationToken.None);
        using var admin = new TopicAdmin(endpoint);
        fast.Release(0, 1_000);
        kafka.Trim();
        (await admin.OffsetsAsync(new PartitionId("read", 0), CancellationToken.None)).ShouldBe((0, 1_000), "the slow reader has nothing yet");

        slow.Release(0, 600);
        kafka.Trim();
        (await admin.OffsetsAsync(new PartitionId("read", 0), CancellationToken.None)).ShouldBe((500, 1_000));
        (await admin.OffsetsAsync(new PartitionId("unread", 0), CancellationToken.None)).ShouldBe((0, 1_000), "nobody has said that it reads this one");
        ReadFirst(endpoint, new PartitionId("read", 0)).ShouldBe(500);
        Should.Throw<ArgumentOutOfRangeException>(() => EmbeddedKafka.Start(keptRecords: -1));
    }

    private static long ReadFirst(KafkaEndpoint endpoint, PartitionId partition)
    {
        using var source = new KafkaConsumerFactory(endpoint).CreateSource();
        source.Assign([new(partition, PartitionStart.Beginning)]);
        using var batch = new RawRecordBatch();
        source.TryReadBatch(batch, TimeSpan.FromSeconds(10)).ShouldBeTrue();
        return batch.Records[0].Offset;
    }
}
