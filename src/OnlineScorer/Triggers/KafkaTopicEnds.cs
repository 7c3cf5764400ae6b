using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>Asks Kafka, all partitions at once. Thread-safe.</summary>
public sealed class KafkaTopicEnds(KafkaConsumerFactory consumers) : ITopicEnds, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lazy<IConsumer<byte[], byte[]>> client = new(() => consumers.CreateClient(new RecordSourceOptions { ClientSettings = new Dictionary<string, string>([PartitionEnds.ForgetLeaders]) }));

    public async Task<IReadOnlyList<long>> EndsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
        await Task.WhenAll(partitions.Select(p => Task.Run(() => End(p, cancellationToken), cancellationToken)));

    public void Dispose()
    {
        if (client.IsValueCreated)
            client.Value.Dispose();
    }

    private long End(PartitionId partition, CancellationToken cancellationToken)
    {
        try
        {
            return PartitionEnds.Ask(client.Value, new TopicPartition(partition.Topic, partition.Partition), Patience, cancellationToken).High.Value;
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition)
        {
            return 0; // nobody has produced to it
        }
    }
}
