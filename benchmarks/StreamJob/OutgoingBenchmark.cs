using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.Benchmarks.StreamJob;

/// <summary>
/// What transactions cost: the same repartitioned records sent without and with them, in turns, at several records per commit.
/// <c>outgoing BOOTSTRAP [RECORDS]</c> needs a real Kafka; prints records/s, CPU and time per commit, and the ratios of each pair.
/// </summary>
internal static class OutgoingBenchmark
{
    private const int Rounds = 3;
    private static readonly byte[] Key = new byte[8];
    private static readonly byte[] Value = new byte[87];

    public static int Run(string[] args)
    {
        if (args.Length == 0)
        {
            Console.Error.WriteLine("outgoing BOOTSTRAP [RECORDS]");
            return 2;
        }

        RunAsync(KafkaEndpoint.Of(args[0]), args.Length > 1 ? int.Parse(args[1]) : 1_000_000).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task RunAsync(KafkaEndpoint kafka, int records)
    {
        var topic = $"outgoing-{Environment.ProcessId}";
        var source = StreamBenchmark.Catalog.Sources[0] with { Topic = topic };
        var plans = LogPlan.Of(StreamBenchmark.Catalog with { Sources = [source] });
        using var admin = new TopicAdmin(kafka);
        var counts = await LogTopics.MakeAsync(admin, plans, CancellationToken.None);
        await using var producer = new KafkaProducerFactory(kafka).Create(KafkaRecordSink.WithoutGaps);
        using var transactions = new KafkaOutboxes(kafka, topic, counts, NullLogger<KafkaOutboxes>.Instance);
        IOutboxes plain = new KafkaRecordSink(producer, counts);
        foreach (var perCommit in new[] { 1, 100, 10_000, 100_000 })
        {
            var sent = Math.Min(records, perCommit * 300);
            var (without, with) = (new List<Measured>(), new List<Measured>());
            for (var round = 0; round < Rounds; round++)
            {
                without.Add(await SendAsync(plain, plans[0], sent, perCommit));
                with.Add(await SendAsync(transactions, plans[0], sent, perCommit));
            }

            Print(perCommit, sent, Middle(without), Middle(with));
        }
    }

    private static async Task<Measured> SendAsync(IOutboxes outboxes, LogPlan plan, int records, int perCommit)
    {
        using var outbox = outboxes.Open(plan, new PartitionId(plan.Topic, 0), 0);
        var target = new PartitionId(LogNames.DeadLetterTopic(plan.Topic), 0);
        OutgoingHeader[] headers = [new(LogNames.SourcePositionHeader, new byte[12])];
        await CommitAsync(outbox, target, headers, 0, 1); // takes the transactional id over, learns of topics
        var (cpu, started) = (Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.GetTimestamp());
        for (var from = 1; from <= records; from += perCommit)
            await CommitAsync(outbox, target, headers, from, Math.Min(records + 1, from + perCommit));
        return new Measured(Stopwatch.GetElapsedTime(started), Process.GetCurrentProcess().TotalProcessorTime - cpu);
    }

    private static async Task CommitAsync(IOutbox outbox, PartitionId target, OutgoingHeader[] headers, int from, int to)
    {
        var deliveries = new Deliveries();
        // Offsets that no earlier round has sent, so that none is taken for sent.
        for (var offset = from; offset < to; offset++)
            await outbox.SendAsync(long.MaxValue, target, Key, Value, 1_700_000_000_000_000, headers, deliveries, CancellationToken.None);
        await outbox.SealAsync(deliveries, to, CancellationToken.None);
    }

    private static Measured Middle(List<Measured> rounds) => rounds.OrderBy(r => r.Cpu).ElementAt(rounds.Count / 2);

    private static void Print(int perCommit, int records, Measured without, Measured with)
    {
        var commits = Math.Max(1, records / perCommit);
        Console.WriteLine(
            $"{perCommit,7} records a commit, {records} records: without {Line(without, records, commits)}; in transactions {Line(with, records, commits)}; "
            + $"ratio of speed {without.Time / with.Time:F2}, of CPU {with.Cpu / without.Cpu:F2}");
    }

    private static string Line(Measured m, int records, int commits) =>
        $"{records / m.Time.TotalSeconds:N0}/s, {m.Cpu.TotalMicroseconds / records:F1} us CPU each, {m.Time.TotalMilliseconds / commits:F1} ms a commit";

    private readonly record struct Measured(TimeSpan Time, TimeSpan Cpu);
}
