using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Integration.Tests.Chaos.Flow;
using StreamMl.Integration.Tests.Chaos.Servers;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.TestKit;
using StreamMl.TestKit.Servers;

namespace StreamMl.Integration.Tests;

/// <summary>A broker that is killed while many transactions are being committed, and comes back: what their senders were told is committed must be seen by readers.</summary>
public sealed class BrokerRestartTests(ITestOutputHelper output)
{
    private const int Senders = 16;
    private const int PerCommit = 3;
    private const int SessionTimeoutMs = 3_000;
    private const int PatienceMs = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kill_WhileTransactionsAreCommitted_ReadersSeeAllThatWasAcknowledged()
    {
        if (ChaosBroker.WhyNot is { } why)
            TestEnvironment.Skip($"this needs a Kafka that it can kill: {why}");
        var directory = TestEnvironment.TemporaryDirectory("restart");
        await using var broker = await ChaosBroker.StartAsync(Path.Combine(directory, "kafka"), SessionTimeoutMs);
        var plans = LogPlan.Of(ChaosCatalog.Write(directory, Senders).Catalog);
        using var admin = new TopicAdmin(broker.Endpoint);
        var counts = await LogTopics.MakeAsync(admin, plans, Stop);
        var plan = plans.Single(p => p.Routes.Count > 0);
        using var loggers = LoggerFactory.Create(l => l.AddProvider(new OutputLoggerProvider(output)));
        using var outboxes = new KafkaOutboxes(broker.Endpoint, "restart", counts, loggers.CreateLogger<KafkaOutboxes>());

        using var killed = new CancellationTokenSource();
        var senders = Enumerable.Range(0, Senders).Select(i => new Sender(outboxes, plan, i)).ToList();
        var running = senders.Select(s => Task.Run(() => s.RunAsync(killed.Token), Stop)).ToList();
        await Eventually.Until(() => senders.TrueForAll(s => s.Acknowledged >= 20 * PerCommit), () => string.Join(", ", senders.Select(s => s.Acknowledged)), PatienceMs);
        await broker.RestartAsync();
        await killed.CancelAsync();
        await Task.WhenAll(running);
        await Task.WhenAll(senders.Select(s => s.GoOnAsync()));

        var seen = await SeenAsync(broker.Endpoint, admin, plan.Routes[0].Topic);
        var undecided = await UndecidedAsync(broker.Endpoint, admin, plan.Routes[0].Topic);
        foreach (var sender in senders)
            Enumerable.Range(0, (int)sender.Acknowledged).Select(i => (long)i).Except(seen[sender.Partition]).ShouldBeEmpty($"source offsets of purchases/{sender.Partition}, of {sender.Acknowledged} acknowledged; undecided: {undecided}");
    }

    /// <summary>Source offsets by source partition, as a reader's gate lets them pass: of each target and source only ascending ones.</summary>
    private static async Task<Dictionary<int, SortedSet<long>>> SeenAsync(KafkaEndpoint kafka, TopicAdmin admin, string topic)
    {
        var seen = Enumerable.Range(0, Senders).ToDictionary(p => p, _ => new SortedSet<long>());
        var excerpts = new LogExcerpts(kafka);
        for (var partition = 0; partition < Senders; partition++)
        {
            var gate = new Dictionary<int, long>();
            var target = new PartitionId(topic, partition);
            var (low, _) = await admin.OffsetsAsync(target, Stop);
            foreach (var record in await excerpts.ReadAsync(target, low, long.MaxValue, Confluent.Kafka.IsolationLevel.ReadCommitted, Stop))
            {
                var origin = record.Message.Headers.GetLastBytes(LogNames.SourcePositionHeader);
                var (source, offset) = (BinaryPrimitives.ReadInt32BigEndian(origin), BinaryPrimitives.ReadInt64BigEndian(origin.AsSpan(4)));
                if (offset <= gate.GetValueOrDefault(source, -1))
                    continue;
                gate[source] = offset;
                seen[source].Add(offset);
            }
        }

        return seen;
    }

    /// <summary>The first record of each target that readers wait for: who sent it.</summary>
    private static async Task<string> UndecidedAsync(KafkaEndpoint kafka, TopicAdmin admin, string topic)
    {
        var excerpts = new LogExcerpts(kafka);
        var found = new List<string>();
        foreach (var (target, end) in await admin.StableEndsAsync(Enumerable.Range(0, Senders).Select(p => new PartitionId(topic, p)), Stop))
        {
            var records = await excerpts.ReadAsync(target, end, long.MaxValue, Confluent.Kafka.IsolationLevel.ReadUncommitted, Stop);
            found.AddRange(records.Take(3).Select(r => (r.Offset, Origin: r.Message.Headers.GetLastBytes(LogNames.SourcePositionHeader)))
                .Select(r => $"{target}@{r.Offset} from {BinaryPrimitives.ReadInt32BigEndian(r.Origin)}:{BinaryPrimitives.ReadInt64BigEndian(r.Origin.AsSpan(4))}"));
        }

        return string.Join(", ", found);
    }

    /// <summary>Sends its log partition's records, each to another target, and commits a few at a time.</summary>
    private sealed class Sender(KafkaOutboxes outboxes, LogPlan plan, int partition)
    {
        private long acknowledged;

        public int Partition => partition;

        /// <summary>Source offsets below were committed, as far as the sender was told.</summary>
        public long Acknowledged => Volatile.Read(ref acknowledged);

        public async Task RunAsync(CancellationToken killed)
        {
            using var outbox = Open();
            try
            {
                while (!killed.IsCancellationRequested)
                    await SendAsync(outbox);
            }
            catch (DeliveryException)
            {
                // It starts over at what was acknowledged.
            }
        }

        /// <summary>As the partition's next owner: what was not acknowledged is sent, again or for the first time.</summary>
        public async Task GoOnAsync()
        {
            while (true)
            {
                using var outbox = Open();
                try
                {
                    await SendAsync(outbox);
                    return;
                }
                catch (DeliveryException)
                {
                    // The broker has not found its feet yet: once more.
                }
            }
        }

        private async Task SendAsync(IOutbox outbox)
        {
            var (deliveries, next) = (new Deliveries(), Acknowledged + PerCommit);
            for (var offset = Acknowledged; offset < next; offset++)
                await outbox.SendAsync(offset, new PartitionId(plan.Routes[0].Topic, (int)(offset + partition) % Senders), null, Encoding.UTF8.GetBytes($"{offset}"), 0, [Origin(offset)], deliveries, Stop);
            await outbox.SealAsync(deliveries, next, Stop);
            Volatile.Write(ref acknowledged, next);
        }

        private IOutbox Open() => outboxes.Open(plan, new PartitionId(plan.Topic, partition), Acknowledged);

        private OutgoingHeader Origin(long offset)
        {
            var header = new byte[12];
            BinaryPrimitives.WriteInt32BigEndian(header, partition);
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(4), offset);
            return new OutgoingHeader(LogNames.SourcePositionHeader, header);
        }
    }

    private sealed class OutputLoggerProvider(ITestOutputHelper output) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => output.WriteLine(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
