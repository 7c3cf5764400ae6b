using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Offsets that transactions leave under the name of a consumer group which nobody joins. Thread-safe.</summary>
public sealed class GroupMarks : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly IConsumer<byte[], byte[]> client;

    public GroupMarks(KafkaEndpoint endpoint, string groupId) =>
        client = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig(KafkaSettings.Client(endpoint)) { GroupId = groupId, IsolationLevel = IsolationLevel.ReadCommitted })
            .SetLogHandler(static (_, _) => { }).Build();

    /// <summary>What a transaction names to leave offsets here.</summary>
    public IConsumerGroupMetadata Group => client.ConsumerGroupMetadata;

    /// <summary>The committed offset of each, null where there is none. Waits for the broker as long as it takes, and for transactions that are being decided on.</summary>
    public Task<IReadOnlyList<long?>> ReadAsync(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => Read(partitions, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public void Dispose() => client.Dispose();

    private IReadOnlyList<long?> Read(IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var committed = client.Committed(partitions.Select(p => new TopicPartition(p.Topic, p.Partition)), Patience);
                return [.. partitions.Select(p => committed.Single(c => c.Topic == p.Topic && c.Partition.Value == p.Partition).Offset).Select(o => o == Offset.Unset ? (long?)null : o.Value)];
            }
            catch (KafkaException e) when (!e.Error.IsFatal && e.Error.Code is not (ErrorCode.GroupAuthorizationFailed or ErrorCode.ClusterAuthorizationFailed))
            {
                // The coordinator is away or still loading: it comes back.
            }
        }
    }
}
