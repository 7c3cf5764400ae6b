using System.Text;
using Confluent.Kafka;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Tests.Kafka;

public sealed class NativeSenderTests
{
    [Fact]
    public async Task SendAsync_ThenFlush_AllIsThereInOrderWithKeysTimesAndHeaders()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var kafka = EmbeddedKafka.Start();
        kafka.CreateTopic("out", 2);
        var endpoint = KafkaEndpoint.Of(kafka.BootstrapServers);
        await using var sender = new KafkaProducerFactory(endpoint).CreateSender();
        var value = new byte[4];
        for (var i = 0; i < 2_000; i++)
        {
            // One buffer for all: what is sent is a copy.
            BitConverter.TryWriteBytes(value, i);
            ReadOnlyMemory<byte>? key = (i % 3) switch { 0 => default(ReadOnlyMemory<byte>?), 1 => ReadOnlyMemory<byte>.Empty, _ => Encoding.UTF8.GetBytes($"k{i}") };
            await sender.SendAsync(new PartitionId("out", i % 2), key, value, i * 1_000L, i == 7 ? [new("reason", [1, 2]), new("empty", [])] : null, stop);
        }

        await sender.FlushAsync(stop);
        var records = Read(endpoint, "out", 1, 1_000);
        records.Select(r => BitConverter.ToInt32(r.Message.Value)).ShouldBe(Enumerable.Range(0, 1_000).Select(i => (2 * i) + 1));
        records.Select(r => r.Message.Timestamp.UnixTimestampMs).ShouldBe(Enumerable.Range(0, 1_000).Select(i => (2L * i) + 1));
        records[1].Message.Key.ShouldBeNull(); // 3
        records[0].Message.Key.ShouldBeEmpty(); // 1
        records[2].Message.Key.ShouldBe("k5"u8.ToArray());
        records[3].Message.Headers.Select(h => h.Key).ShouldBe(["reason", "empty"]);
        records[3].Message.Headers[0].GetValueBytes().ShouldBe([1, 2]);
        records[2].Message.Headers.ShouldBeEmpty();
    }

    [Fact]
    public async Task SendAsync_MorePartitionsThanAWaveTakes_EachHasItsRecordsInOrder()
    {
        const int partitions = 13;
        var stop = TestContext.Current.CancellationToken;
        await using var kafka = EmbeddedKafka.Start();
        kafka.CreateTopic("out", partitions);
        var endpoint = KafkaEndpoint.Of(kafka.BootstrapServers);
        await using (var sender = new KafkaProducerFactory(endpoint).CreateSender(new KafkaProducerOptions { LingerMs = 0, InFlightMaxBytes = 1 << 20 }))
        {
            for (var i = 0; i < 20_000; i++)
                await sender.SendAsync(new PartitionId("out", PartitionOf(i)), null, BitConverter.GetBytes(i), 0, null, stop);
        }

        // Without a flush: what ends in good order gives what it holds its time.
        CheckOrder(endpoint, partitions, 20_000, PartitionOf);

        static int PartitionOf(int i) => i % 7 == 0 ? 3 : i % partitions;
    }

    [Fact]
    public async Task SendAsync_MoreOfOnePartitionThanARequestTakes_StaysInOrder()
    {
        const int partitions = 7;
        var stop = TestContext.Current.CancellationToken;
        await using var kafka = EmbeddedKafka.Start();
        kafka.CreateTopic("out", partitions);
        var endpoint = KafkaEndpoint.Of(kafka.BootstrapServers);
        await using var sender = new KafkaProducerFactory(endpoint).CreateSender();
        var value = new byte[14_000];
        for (var i = 0; i < 600; i++)
        {
            BitConverter.TryWriteBytes(value, i);
            await sender.SendAsync(new PartitionId("out", PartitionOf(i)), null, value, 0, null, stop);
        }

        await sender.FlushAsync(stop);
        CheckOrder(endpoint, partitions, 600, PartitionOf);

        static int PartitionOf(int i) => i % 2 == 0 ? 3 : i % partitions;
    }

    [Fact]
    public async Task SendAsync_MoreThanFitsTheQueue_WaitsForRoomAndLosesNothing()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var kafka = EmbeddedKafka.Start();
        kafka.CreateTopic("out", 1);
        var endpoint = KafkaEndpoint.Of(kafka.BootstrapServers);
        var settings = new Dictionary<string, string> { ["queue.buffering.max.messages"] = "50" };
        await using var sender = new KafkaProducerFactory(endpoint).CreateSender(new KafkaProducerOptions { ClientSettings = settings });
        for (var i = 0; i < 1_000; i++)
            await sender.SendAsync(new PartitionId("out", 0), null, BitConverter.GetBytes(i), 0, null, stop);
        await sender.FlushAsync(stop);
        Read(endpoint, "out", 0, 1_000).Select(r => BitConverter.ToInt32(r.Message.Value)).ShouldBe(Enumerable.Range(0, 1_000));
    }

    [Fact]
    public async Task FlushAsync_ARecordCanNotBeDelivered_FailsAndSoDoesEveryLaterCall()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var kafka = EmbeddedKafka.Start();
        kafka.CreateTopic("out", 1);
        var endpoint = KafkaEndpoint.Of(kafka.BootstrapServers);
        await using var sender = new KafkaProducerFactory(endpoint).CreateSender(new KafkaProducerOptions { DeliveryTimeoutMs = 1_000 });
        var error = await Should.ThrowAsync<KafkaException>(async () =>
        {
            // There is no such partition; a client that has heard of the topic's partitions already says so at once.
            await sender.SendAsync(new PartitionId("out", 5), null, new byte[1], 0, null, stop);
            await sender.FlushAsync(stop);
        });
        error.Message.ShouldContain("out/5");
        await Should.ThrowAsync<KafkaException>(async () => await sender.SendAsync(new PartitionId("out", 0), null, new byte[1], 0, null, stop));
    }

    /// <summary>Each partition has its numbers, and in the order in which they were sent.</summary>
    private static void CheckOrder(KafkaEndpoint endpoint, int partitions, int count, Func<int, int> partitionOf)
    {
        for (var p = 0; p < partitions; p++)
        {
            var sent = Enumerable.Range(0, count).Where(i => partitionOf(i) == p).ToList();
            Read(endpoint, "out", p, sent.Count).Select(r => BitConverter.ToInt32(r.Message.Value)).ShouldBe(sent);
        }
    }

    private static List<ConsumeResult<byte[], byte[]>> Read(KafkaEndpoint endpoint, string topic, int partition, int count)
    {
        using var consumer = new KafkaConsumerFactory(endpoint).CreateClient();
        consumer.Assign(new TopicPartitionOffset(topic, partition, Offset.Beginning));
        var records = new List<ConsumeResult<byte[], byte[]>>();
        while (records.Count < count)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(30)) ?? throw new TimeoutException($"{records.Count} of {count} records came");
            if (!record.IsPartitionEOF)
                records.Add(record);
        }

        return records;
    }
}
