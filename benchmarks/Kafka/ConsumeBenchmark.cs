using System.Diagnostics;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Benchmarks.Kafka;

/// <summary>
/// The hot edge alone: how fast raw records come in, and what it costs, by Confluent.Kafka's consumer and by librdkafka's batch call.
/// Writes its own topic of 87 B values with our producer first.
/// </summary>
internal static class ConsumeBenchmark
{
    private const int Partitions = 4;
    private const int ValueBytes = 87;

    /// <summary>Arguments: bootstrap servers, records (default 5,000,000), compression (default none).</summary>
    public static int Run(string[] args)
    {
        if (args.Length == 0)
        {
            Console.Error.WriteLine("consume BOOTSTRAP [RECORDS] [COMPRESSION]: name a Kafka; the embedded one keeps 5 MiB a partition.");
            return 2;
        }

        var endpoint = KafkaEndpoint.Of(args[0]);
        int records = args.Length > 1 ? int.Parse(args[1]) : 5_000_000;
        string topic = $"bench-consume-{Environment.ProcessId}";
        ProduceAsync(endpoint, topic, records, args.Length > 2 ? args[2] : "none").GetAwaiter().GetResult();
        var factory = new KafkaConsumerFactory(endpoint);
        for (int round = 0; round < 2; round++)
        {
            Measure("Confluent.Kafka, 1 source", records, 1, topic, () => factory.CreateManagedSource());
            Measure("librdkafka batch, 1 source", records, 1, topic, () => factory.CreateSource());
            Measure("librdkafka batch, 2 sources", records, 2, topic, () => factory.CreateSource());
        }

        return 0;
    }

    private static async Task ProduceAsync(KafkaEndpoint endpoint, string topic, int records, string compression)
    {
        using (var admin = new TopicAdmin(endpoint)) await admin.EnsureTopicAsync(topic, Partitions, CancellationToken.None);
        await using var producer = new KafkaProducerFactory(endpoint).Create(new() { Compression = compression });
        var random = new Random(1);
        var values = Enumerable.Range(0, 256).Select(_ => Bytes(random)).ToArray();
        var keys = Enumerable.Range(0, 256).Select(i => BitConverter.GetBytes(i)).ToArray();
        var meter = new Meter();
        for (int i = 0; i < records; i++)
        {
            await producer.SendAsync(new PartitionId(topic, i % Partitions), keys[i & 255], values[i & 255], i * 1000L, null, CancellationToken.None);
        }

        await producer.FlushAsync(CancellationToken.None);
        meter.Print("RecordProducer", records);
    }

    private static byte[] Bytes(Random random)
    {
        var bytes = new byte[ValueBytes];
        random.NextBytes(bytes);
        return bytes;
    }

    private static void Measure(string name, int records, int sources, string topic, Func<IRecordSource> create)
    {
        var meter = new Meter();
        var threads = Enumerable.Range(0, sources).Select(s => new Thread(() => ReadAll(s, sources, topic, create))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        meter.Print(name, records);
    }

    private static void ReadAll(int share, int shares, string topic, Func<IRecordSource> create)
    {
        using var source = create();
        using var batch = new RawRecordBatch();
        var mine = Enumerable.Range(0, Partitions).Where(p => p % shares == share).ToList();
        source.Assign([.. mine.Select(p => new PartitionStart(new(topic, p), 0))]);
        long check = 0;
        for (int ends = 0; ends < mine.Count; ends += batch.Ends.Count)
        {
            source.TryReadBatch(batch, TimeSpan.FromSeconds(1));
            for (int row = 0; row < batch.Count; row++) check += batch.Value(row)[0];
        }

        GC.KeepAlive(check);
    }

    private sealed class Meter
    {
        private readonly long start = Stopwatch.GetTimestamp();
        private readonly TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        private readonly long allocated = GC.GetTotalAllocatedBytes();

        public void Print(string name, int records)
        {
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double cpuSeconds = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
            double garbage = (GC.GetTotalAllocatedBytes() - allocated) / (double)records;
            Console.WriteLine($"{name,-28} {records / seconds / 1e6,6:F2} M records/s {cpuSeconds / records * 1e6,6:F3} CPU s/M {garbage,7:F1} B garbage/record");
        }
    }
}
