using System.Runtime.ExceptionServices;
using System.Text;
using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>Reads by Confluent.Kafka's consumer, one record a call, with garbage for each. The native source's oracle.</summary>
internal sealed class ConfluentRecordSource : IRecordSource
{
    private readonly IConsumer<byte[]?, byte[]?> consumer;
    private readonly RecordSourceOptions options;
    private readonly HashSet<PartitionId> assignment = [];
    private IAssignmentHandler? handler;
    private RawRecordBatch? filling;
    private Exception? pending;
    private Error? fatal;

    public ConfluentRecordSource(IReadOnlyDictionary<string, string> settings, RecordSourceOptions options)
    {
        this.options = options;
        consumer = new ConsumerBuilder<byte[]?, byte[]?>(settings)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler((_, error) => fatal = error.IsFatal ? error : fatal)
            .SetPartitionsAssignedHandler((_, partitions) => OnAssigned(partitions))
            .SetPartitionsRevokedHandler((_, partitions) => OnGone(partitions.Select(p => p.TopicPartition), lost: false))
            .SetPartitionsLostHandler((_, partitions) => OnGone(partitions.Select(p => p.TopicPartition), lost: true))
            .Build();
    }

    public IReadOnlyCollection<PartitionId> Assignment => assignment;

    public bool TryReadBatch(RawRecordBatch into, TimeSpan wait)
    {
        into.Clear();
        ThrowPending();
        filling = into;
        try
        {
            var patience = wait;
            while (into.Count < into.MaxRecords && into.Bytes < into.MaxBytes && Consume(patience) is { } result)
            {
                patience = TimeSpan.Zero;
                Add(into, result);
            }
        }
        catch (Exception e) when (into.Count > 0 || into.Ends.Count > 0)
        {
            // Thrown by the next call, so that the records before it are not lost.
            pending = e;
        }
        finally
        {
            filling = null;
        }

        return into.Count > 0 || into.Ends.Count > 0;
    }

    public void Assign(IReadOnlyList<PartitionStart> starts)
    {
        consumer.Assign(starts.Select(Native));
        assignment.Clear();
        foreach (var start in starts) assignment.Add(start.Partition);
    }

    public void Subscribe(IReadOnlyList<string> topics, IAssignmentHandler handler)
    {
        this.handler = handler;
        consumer.Subscribe(topics);
    }

    public void Pause(IReadOnlyCollection<PartitionId> partitions) => consumer.Pause(Ours(partitions));

    public void Resume(IReadOnlyCollection<PartitionId> partitions) => consumer.Resume(Ours(partitions));

    public void Seek(PartitionId partition, long offset)
    {
        if (assignment.Contains(partition)) consumer.Seek(Native(new(partition, offset)));
    }

    public void CommitForLag(IReadOnlyList<PartitionStart> nextOffsets)
    {
        if (options.GroupId is null) return;
        try
        {
            consumer.Commit(nextOffsets.Select(Native));
        }
        catch (KafkaException e) when (!e.Error.IsFatal)
        {
            // For lag tools only: the store holds the truth, and the next commit says the same and more.
        }
    }

    public void Dispose()
    {
        consumer.Close();
        consumer.Dispose();
    }

    private void ThrowPending()
    {
        if (pending is not { } e) return;
        pending = null;
        ExceptionDispatchInfo.Throw(e);
    }

    private ConsumeResult<byte[]?, byte[]?>? Consume(TimeSpan patience)
    {
        try
        {
            var result = consumer.Consume(patience);
            if (fatal is { } error) throw new KafkaException(error);
            return result;
        }
        catch (ConsumeException e) when (e.Error.Code is ErrorCode.Local_AutoOffsetReset)
        {
            throw new OffsetOutOfRangeException(new(e.ConsumerRecord.Topic, e.ConsumerRecord.Partition.Value), e.Error.Reason);
        }
    }

    private void Add(RawRecordBatch into, ConsumeResult<byte[]?, byte[]?> result)
    {
        var partition = new PartitionId(result.Topic, result.Partition.Value);
        if (result.IsPartitionEOF)
        {
            into.AppendEnd(partition, result.Offset.Value);
            return;
        }

        var message = result.Message;
        into.Append(
            partition, result.Offset.Value, message.Timestamp.UnixTimestampMs * 1000, message.Key, message.Key is not null, message.Value, message.Value is not null);
        if (!options.ReadHeaders || message.Headers is null) return;
        foreach (var header in message.Headers) into.AppendHeader(Encoding.UTF8.GetBytes(header.Key), header.GetValueBytes());
    }

    private List<TopicPartitionOffset> OnAssigned(List<TopicPartition> partitions)
    {
        if (partitions.Count == 0) return [];
        var ids = partitions.ConvertAll(Id);
        var starts = handler!.Assigned(ids);
        assignment.UnionWith(ids);
        return starts.Select(Native).ToList();
    }

    private void OnGone(IEnumerable<TopicPartition> partitions, bool lost)
    {
        var ids = partitions.Select(Id).ToList();
        if (ids.Count == 0) return;
        assignment.ExceptWith(ids);
        foreach (var id in ids) filling?.Drop(id);
        if (lost) handler!.Lost(ids);
        else handler!.Revoked(ids);
    }

    private IEnumerable<TopicPartition> Ours(IEnumerable<PartitionId> partitions) =>
        partitions.Where(assignment.Contains).Select(p => new TopicPartition(p.Topic, p.Partition)).ToList();

    private static PartitionId Id(TopicPartition partition) => new(partition.Topic, partition.Partition.Value);

    private static TopicPartitionOffset Native(PartitionStart start) => new(start.Partition.Topic, start.Partition.Partition, start.Offset);
}
