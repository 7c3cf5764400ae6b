using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Benchmarks.StreamJob;

/// <summary>The floor: the same client reads the topic into batches and does nothing with them.</summary>
internal static class ConsumeOnly
{
    public static int Run(string bootstrap, long count, bool managed)
    {
        var factory = new KafkaConsumerFactory(KafkaEndpoint.Of(bootstrap));
        var options = StreamBenchmark.SourceOptions($"streamml.consume.{Environment.ProcessId}");
        using var source = managed ? factory.CreateManagedSource(options) : factory.CreateSource(options);
        using var meter = new RateMeter(managed ? "consume-managed" : "consume", "", "", count);
        using var batch = new RawRecordBatch();
        source.Assign([.. Enumerable.Range(0, StreamBenchmark.Partitions).Select(p => new PartitionStart(new PartitionId(StreamBenchmark.Topic, p), PartitionStart.Beginning))]);
        meter.Start();
        while (!meter.Done.IsCompleted)
        {
            if (source.TryReadBatch(batch, TimeSpan.FromMilliseconds(50)))
                meter.Add(batch.Count);
        }

        Console.WriteLine(meter.Report());
        return 0;
    }
}
