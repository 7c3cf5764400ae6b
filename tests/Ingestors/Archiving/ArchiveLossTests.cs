using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Ingestors.Archiving;
using StreamMl.Shared.Log;
using StreamMl.TestKit;
using StreamMl.TestKit.Servers;

namespace StreamMl.Ingestors.Tests.Archiving;

/// <summary>Retention that ran past the archiver, on a real Kafka: nothing is skipped in silence, and there is a way on.</summary>
public sealed class ArchiveLossTests(KafkaFixture kafka) : IClassFixture<KafkaFixture>, IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("streamml-archive-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ArchiveLayout Layout => new(directory);

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Archiver_RetentionRanPastItsPosition_NamesEveryRangeAndEndsAsOftenAsItIsStarted()
    {
        var topic = await TopicAsync("past", 10, 20);
        await ArchiveAsync(topic);
        await ProduceAsync(topic, 40, 40);
        await CutAsync(topic, 25, 33);

        for (var start = 0; start < 2; start++)
        {
            var error = await Should.ThrowAsync<ArchiveLossException>(ArchiveAsync(topic));
            error.Losses.ShouldBe([new ArchiveLoss(new(topic, 0), 10, 24), new ArchiveLoss(new(topic, 1), 20, 32)]);
            error.Message.ShouldContain($"{topic}/0: offsets 10 to 24 (15)");
            error.Message.ShouldContain("together 28 offsets");
            error.Message.ShouldContain("streamml archive --accept-loss");
        }

        Layout.Losses(new(topic, 0)).ShouldBeEmpty("nobody has accepted it");
    }

    [Fact]
    public async Task Archiver_LossIsAccepted_GoesOnBehindTheHoleAndReadersNameIt()
    {
        var topic = await TopicAsync("accepted", 10, 20);
        await ArchiveAsync(topic);
        await ProduceAsync(topic, 40, 0);
        await CutAsync(topic, 25, 5);

        await ArchiveAsync(topic, acceptLoss: true);
        await ProduceAsync(topic, 5, 5);
        await ArchiveAsync(topic);

        Layout.Losses(new(topic, 0)).ShouldBe([new ArchiveLoss(new(topic, 0), 10, 24)]);
        var holed = new ArchivePartitionReader(Layout, new(topic, 0));
        Offsets(holed).ShouldBe(Enumerable.Range(0, 55).Where(o => o is < 10 or > 24).Select(o => (long)o));
        Should.NotThrow(() => holed.Require(0, 10));
        Should.Throw<InvalidDataException>(() => holed.Require(20, 21)).Message.ShouldContain("offsets 10 to 24");
        var error = Should.Throw<InvalidDataException>(holed.RequireNoLoss);
        error.Message.ShouldContain("offsets 10 to 24 (15)");
        error.Message.ShouldContain("--accept-loss");
        var whole = new ArchivePartitionReader(Layout, new(topic, 1));
        Should.NotThrow(whole.RequireNoLoss);
        Offsets(whole).ShouldBe(Enumerable.Range(0, 25).Select(o => (long)o));
    }

    [Fact]
    public async Task Archiver_NothingCompleteYetAndTheTopicWasCut_IsALossToo()
    {
        var topic = await TopicAsync("begun", 0, 0);
        await ArchiveAsync(topic);
        Layout.Files(new(topic, 0)).ShouldBeEmpty();
        await ProduceAsync(topic, 10, 10);
        await CutAsync(topic, 4, 0);

        (await Should.ThrowAsync<ArchiveLossException>(ArchiveAsync(topic))).Losses.ShouldBe([new ArchiveLoss(new(topic, 0), 0, 3)]);
    }

    [Fact]
    public async Task Archiver_FirstStartOnACutTopic_BeginsThereAndMissesWhatIsCutAfterwards()
    {
        var topic = await TopicAsync("late", 30, 30);
        await CutAsync(topic, 12, 0);
        await ArchiveAsync(topic);
        new ArchivePartitionReader(Layout, new(topic, 0)).FirstOffset.ShouldBe(12);
        Layout.Losses(new(topic, 0)).ShouldBeEmpty("it was never there for this archive");

        foreach (var file in Layout.Files(new(topic, 0)))
            File.Delete(file.Path);
        await CutAsync(topic, 20, 0);
        (await Should.ThrowAsync<ArchiveLossException>(ArchiveAsync(topic))).Losses.ShouldBe([new ArchiveLoss(new(topic, 0), 12, 19)]);
    }

    [Fact]
    public async Task Archiver_TopicIsCutUnderIt_NamesTheRange()
    {
        var topic = await TopicAsync("under", 10, 0);
        await ArchiveAsync(topic);
        await ProduceAsync(topic, 10, 0);
        var cut = false;
        var error = await Should.ThrowAsync<ArchiveLossException>(ArchiveAsync(topic, beforeAnswer: firsts =>
        {
            // Between the question and the first fetch: what the archiver was told is no longer so.
            if (!cut)
                CutAsync(topic, 15, 0).GetAwaiter().GetResult();
            var told = cut ? firsts() : new Dictionary<PartitionId, long> { [new(topic, 0)] = 0, [new(topic, 1)] = 0 };
            cut = true;
            return told;
        }));
        error.Losses.ShouldBe([new ArchiveLoss(new(topic, 0), 10, 14)]);
        error.InnerException.ShouldBeOfType<OffsetOutOfRangeException>();
    }

    private static IEnumerable<long> Offsets(ArchivePartitionReader reader)
    {
        foreach (var chunk in reader.Read())
        {
            using (chunk)
            {
                foreach (var offset in chunk.Offsets.ToArray())
                    yield return offset;
            }
        }
    }

    private async Task<string> TopicAsync(string name, params int[] records)
    {
        kafka.RequireReal("deleted records");
        var topic = await kafka.CreateTopicAsync(name, records.Length);
        await ProduceAsync(topic, records);
        return topic;
    }

    private Task ProduceAsync(string topic, params int[] records)
    {
        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = kafka.Endpoint.BootstrapServers }).Build();
        for (var partition = 0; partition < records.Length; partition++)
        {
            for (var i = 0; i < records[partition]; i++)
                producer.Produce(new TopicPartition(topic, partition), new Message<byte[], byte[]> { Key = [1], Value = [2] });
        }

        producer.Flush(Stop);
        return Task.CompletedTask;
    }

    private async Task CutAsync(string topic, params int[] before)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.Endpoint.BootstrapServers }).Build();
        await admin.DeleteRecordsAsync(before.Select((offset, partition) => new TopicPartitionOffset(topic, partition, offset)));
    }

    /// <summary>One life of an archiver: until it has all that the topic has.</summary>
    private async Task ArchiveAsync(
        string topic, bool acceptLoss = false, Func<Func<IReadOnlyDictionary<PartitionId, long>>, IReadOnlyDictionary<PartitionId, long>>? beforeAnswer = null)
    {
        using var admin = new TopicAdmin(kafka.Endpoint);
        PartitionId[] partitions = [new(topic, 0), new(topic, 1)];
        var ends = await admin.StableEndsAsync(partitions, Stop);
        using var source = new KafkaConsumerFactory(kafka.Endpoint).CreateSource(new RecordSourceOptions { GroupId = $"archiver.{topic}", UseConsumerProtocol = true });
        using var archiver = new Archiver(
            Layout, source, new Dictionary<string, int> { [topic] = partitions.Length }, new SchemaArchive(Layout, (_, _) => null),
            new ArchiverOptions { Directory = directory, AcceptLoss = acceptLoss, RollIdleMs = 50 }, TimeProvider.System, NullLogger.Instance)
        {
            FirstOffsets = asked =>
            {
                IReadOnlyDictionary<PartitionId, long> Ask() => admin.FirstOffsetsAsync(asked, Stop).GetAwaiter().GetResult();
                return beforeAnswer is null ? Ask() : beforeAnswer(Ask);
            },
        };
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var run = Task.Factory.StartNew(() => archiver.Run(enough.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Eventually.Until(
            () => run.IsCompleted || partitions.All(p => archiver.Positions.TryGetValue(p, out var position) && position >= ends[p]),
            () => string.Join(", ", archiver.Positions));
        await enough.CancelAsync();
        await run;
    }
}
