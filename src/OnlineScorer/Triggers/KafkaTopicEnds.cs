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
        [.. (await AskAsync(partitions, cancellationToken)).Select(o => o.High)];

    public async Task<IReadOnlyList<long>> BeginningsAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
        [.. (await AskAsync(partitions, cancellationToken)).Select(o => o.Low)];

    public void Dispose()
    {
        if (client.IsValueCreated)
            client.Value.Dispose();
    }

    private Task<(long Low, long High)[]> AskAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
        Task.WhenAll(partitions.Select(p => Task.Run(() => Ask(p, cancellationToken), cancellationToken)));

    private (long Low, long High) Ask(PartitionId partition, CancellationToken cancellationToken)
    {
        try
        {
            var offsets = PartitionEnds.Ask(client.Value, new TopicPartition(partition.Topic, partition.Partition), Patience, cancellationToken);
            return (offsets.Low.Value, offsets.High.Value);
        }
        catch (KafkaException e) when (e.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition)
        {
            return (0, 0); // nobody has produced to it
        }
    }
}
