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
}
