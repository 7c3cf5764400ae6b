using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Asks Kafka, all partitions at once. Thread-safe.</summary>
public sealed class KafkaTopicEnds(KafkaConsumerFactory consumers) : ITopicEnds, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lazy<IConsumer<byte[], byte[]>> client = new(() => consumers.CreateClient());

    public async Task<IReadOnlyList<long>> EndsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
        await Task.WhenAll(partitions.Select(p => Task.Run(() => End(p), cancellationToken)));

    public void Dispose()
    {
        if (client.IsValueCreated)
            client.Value.Dispose();
    }

    private long End(PartitionId partition)
    {
        try
        {
            return client.Value.QueryWatermarkOffsets(new TopicPartition(partition.Topic, partition.Partition), Patience).High.Value;
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition)
        {
            return 0; // nobody has produced to it
        }
    }
}
