using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.StreamFeatures.Tests.Lab;
using StreamMl.TestKit.Servers;

namespace StreamMl.StreamFeatures.Tests.Outgoing;

/// <summary>Transactions on a real Kafka: what readers of a repartition topic see of owners that die, are fenced, or come back.</summary>
public sealed class KafkaOutboxesTests(KafkaFixture kafka)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Seal_OwnerDiesBeforeTheStoreCommits_TheNextSendsOnlyTheRest()
    {
        await using var lab = await LabAsync("resumed");
        using (var first = lab.Open(0))
        {
            await lab.SendAsync(first, 0, 10);
            await lab.SendAsync(first, 10, 20);
        }

        // The store has passed 10: the second transaction is in the topic, and nobody knows.
        using var next = lab.Open(10);
        var skipped = await lab.SendAsync(next, 10, 25);

        lab.Read().ShouldBe(Enumerable.Range(0, 25).Select(i => (long)i));
        skipped.Ends[lab.Target].ShouldBeGreaterThanOrEqualTo(25, "readers wait for what was sent before, too");
    }

    [Fact]
    public async Task Send_OwnerDiedInMidTransaction_NothingOfItIsSeen()
    {
        await using var lab = await LabAsync("aborted");
        using var zombie = lab.Open(0);
        var open = new Deliveries();
        await lab.SendAsync(zombie, open, 0, 10);
        using var next = lab.Open(0);
        await lab.SendAsync(next, 0, 5);

        await Should.ThrowAsync<DeliveryException>(zombie.SealAsync(open, 10, Stop));
        lab.Read().ShouldBe([0, 1, 2, 3, 4]);
        await Should.ThrowAsync<DeliveryException>(lab.SendAsync(zombie, 10, 12));
    }

    [Fact]
    public async Task Send_StoreWentBackByTwoTransactions_SendsNothingAgain()
    {
        await using var lab = await LabAsync("back");
        using (var first = lab.Open(0))
        {
            await lab.SendAsync(first, 0, 10);
            await lab.SendAsync(first, 10, 20);
        }

        using var next = lab.Open(5);
        await lab.SendAsync(next, 5, 20);
        lab.Read().ShouldBe(Enumerable.Range(0, 20).Select(i => (long)i));
    }

    [Fact]
    public async Task Open_TargetWasRecreated_OldNotesDoNotCount()
    {
        await using var lab = await LabAsync("recreated");
        using (var first = lab.Open(0))
            await lab.SendAsync(first, 0, 10);
        await lab.RecreateTargetAsync();

        await using var later = lab.Again();
        using var next = later.Open(0);
        await later.SendAsync(next, 0, 10);
        later.Read().ShouldBe(Enumerable.Range(0, 10).Select(i => (long)i));
    }

    [Fact]
    public async Task Take_TransactionIsCompleteButItsMarkersAreMissing_SendsItsRecordsAgain()
    {
        await using var lab = await LabAsync("unmarked");
        using (var first = lab.Open(0))
            await lab.SendAsync(first, 0, 10);

        // What a broker that was away in the middle of a commit leaves behind: records and their note, and nobody who will ever end their transaction.
        using var hanging = await lab.LeaveWithoutMarkersAsync(10, 20);
        using var next = lab.Open(20);
        await lab.SendAsync(next, 20, 25);
        await hanging.CommitAsync(Stop);
        lab.Read().ShouldBe([.. Enumerable.Range(0, 20), .. Enumerable.Range(10, 10), .. Enumerable.Range(20, 5)]);
    }

    [Fact]
    public async Task Settle_QuietLogOfATransactionWithoutMarkers_SendsItsRecordsAgain()
    {
        await using var lab = await LabAsync("quiet");
        using var hanging = await lab.LeaveWithoutMarkersAsync(0, 10);
        using var next = lab.Open(10);
        await next.SettleAsync(Stop);
        await hanging.CommitAsync(Stop);
        lab.Read().ShouldBe([.. Enumerable.Range(0, 10), .. Enumerable.Range(0, 10)]);
    }

    [Fact]
    public async Task Take_StoreHasNotPassedATransactionWithoutMarkers_SendsOnlyTheRest()
    {
        await using var lab = await LabAsync("unpassed");
        using var hanging = await lab.LeaveWithoutMarkersAsync(0, 10);
        using var next = lab.Open(0);
        await lab.SendAsync(next, 0, 15);
        await hanging.CommitAsync(Stop);
        lab.Read().ShouldBe([.. Enumerable.Range(0, 10), .. Enumerable.Range(0, 10), .. Enumerable.Range(10, 5)]);
    }

    [Fact]
    public async Task Seal_NothingWasSent_MakesNoTransaction()
    {
        await using var lab = await LabAsync("empty");
        using var outbox = lab.Open(0);
        await outbox.SealAsync(new Deliveries(), 100, Stop);
        await lab.SendAsync(outbox, 100, 101);
        lab.Read().ShouldBe([100]);
        (await lab.EndAsync()).ShouldBe(2, "one record and its marker");
    }

    private async Task<OutboxLab> LabAsync(string name)
    {
        kafka.RequireReal("transactions");
        var topic = TestEnvironment.UniqueName(name);
        var catalog = TestCatalog.Catalog with { Sources = [TestCatalog.Source with { Topic = topic, Partitions = 1 }] };
        var plans = LogPlan.Of(catalog);
        using var admin = new TopicAdmin(kafka.Endpoint);
        return new OutboxLab(kafka.Endpoint, plans.First(p => p.Routes.Count > 0), await LogTopics.MakeAsync(admin, plans, Stop));
    }

    private sealed class OutboxLab(KafkaEndpoint endpoint, LogPlan plan, IReadOnlyDictionary<string, int> counts) : IAsyncDisposable
    {
        private readonly KafkaOutboxes outboxes = new(endpoint, $"features.{plan.Topic}", counts, NullLogger<KafkaOutboxes>.Instance);

        public PartitionId Target { get; } = new(plan.Routes[0].Topic, 0);

        public OutboxLab Again() => new(endpoint, plan, counts);

        public IOutbox Open(long nextOffset) => outboxes.Open(plan, new PartitionId(plan.Topic, 0), nextOffset);

        public async Task<Deliveries> SendAsync(IOutbox outbox, long from, long to)
        {
            var deliveries = new Deliveries();
            await SendAsync(outbox, deliveries, from, to);
            await outbox.SealAsync(deliveries, to, Stop);
            return deliveries;
        }

        public async Task SendAsync(IOutbox outbox, Deliveries deliveries, long from, long to)
        {
            for (var offset = from; offset < to; offset++)
                await outbox.SendAsync(offset, Target, [1], [2], 1_700_000_000_000_000, [OriginOf(offset)], deliveries, Stop);
        }

        /// <summary>A transaction under another id, so that the next owner cannot end it.</summary>
        public async Task<TransactionalProducer> LeaveWithoutMarkersAsync(long from, long to)
        {
            var log = new PartitionId(plan.Topic, 0);
            var producer = new TransactionalProducer(endpoint, $"hanging/{log}");
            await producer.InitAsync(Stop);
            producer.Begin();
            var deliveries = new Deliveries();
            for (var offset = from; offset < to; offset++)
                await SendAsync(Target, [1], [2], KafkaRecordSink.HeadersOf([OriginOf(offset)]));
            await deliveries.WhenAllAsync(Stop);
            var note = new SentNote(new SentRange(from, to), deliveries.Spans);
            deliveries = new Deliveries();
            await SendAsync((await outboxes.NotesAsync(plan, Stop)).Of(log), SentNotes.Key(log), note.Encode(), null);
            await deliveries.WhenAllAsync(Stop);
            return producer;

            ValueTask SendAsync(PartitionId target, byte[] key, byte[] value, Confluent.Kafka.Headers? headers)
            {
                deliveries.Sending();
                return producer.SendAsync(target, key, value, 1_700_000_000_000_000, headers, deliveries, Stop);
            }
        }

        /// <summary>Source offsets of what a reader of the target sees, up to its end.</summary>
        public List<long> Read()
        {
            using var source = new KafkaConsumerFactory(endpoint).CreateSource();
            using var batch = new RawRecordBatch();
            source.Assign([new PartitionStart(Target, PartitionStart.Beginning)]);
            var seen = new List<long>();
            while (true)
            {
                source.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
                for (var i = 0; i < batch.Count; i++)
                    seen.Add(batch.TryGetHeader(i, Encoding.ASCII.GetBytes(LogNames.SourcePositionHeader), out var origin) ? BinaryPrimitives.ReadInt64BigEndian(origin[4..]) : -1);
                if (batch.Ends.Count > 0)
                    return seen;
            }
        }

        public async Task<long> EndAsync()
        {
            using var admin = new TopicAdmin(endpoint);
            return (await admin.OffsetsAsync(Target, Stop)).High;
        }

        public async Task RecreateTargetAsync()
        {
            using var client = new Confluent.Kafka.AdminClientBuilder(new Confluent.Kafka.AdminClientConfig { BootstrapServers = endpoint.BootstrapServers }).Build();
            await client.DeleteTopicsAsync([Target.Topic]);
            using var admin = new TopicAdmin(endpoint);
            await TestKit.Eventually.Until(async () => await admin.PartitionCountAsync(Target.Topic, Stop) is null, () => "still there");
            await admin.EnsureTopicAsync(Target.Topic, 1, Stop);
        }

        private static OutgoingHeader OriginOf(long offset)
        {
            var header = new byte[12];
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(4), offset);
            return new OutgoingHeader(LogNames.SourcePositionHeader, header);
        }

        public ValueTask DisposeAsync()
        {
            outboxes.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
