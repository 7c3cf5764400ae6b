using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>
/// Kafka's transactions under the id of one log partition. The note of what was sent travels in the transaction, as two offsets of a group that nobody joins:
/// where it ends under the log's own name, where it began under that of its dead letters.
/// </summary>
internal sealed class KafkaTransactions(KafkaEndpoint kafka, string transactionalId, PartitionId log, Func<CancellationToken, Task<GroupMarks>> marksOf, TopicAdmin admin) : ITransactions
{
    private readonly PartitionId beginning = new(LogNames.DeadLetterTopic(log.Topic), log.Partition);
    private TransactionalProducer? producer;
    private GroupMarks? marks;

    private TransactionalProducer Producer => producer ?? throw new InvalidOperationException($"nothing can be sent for {log} before its transactional id was taken");

    public async Task<SentRange?> TakeAsync(CancellationToken cancellationToken)
    {
        marks = await marksOf(cancellationToken);
        producer = new TransactionalProducer(kafka, transactionalId);
        await LostIsVoid(producer.InitAsync(cancellationToken));
        return await marks.ReadAsync([beginning, log], cancellationToken) is [{ } from, { } to] ? new SentRange(from, to) : null;
    }

    public void Begin()
    {
        try
        {
            Producer.Begin();
        }
        catch (TransactionLostException e)
        {
            throw new DeliveryException(e);
        }
    }

    public async ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken)
    {
        deliveries.Sending();
        try
        {
            await Producer.SendAsync(target, key, value, timestampUs, KafkaRecordSink.HeadersOf(headers), deliveries, cancellationToken);
        }
        catch (TransactionLostException e)
        {
            throw new DeliveryException(e);
        }
    }

    public Task CommitAsync(SentRange range, CancellationToken cancellationToken) =>
        LostIsVoid(Producer.CommitAsync([new PartitionStart(beginning, range.From), new PartitionStart(log, range.To)], marks!.Group, cancellationToken));

    public async Task<long> EndAsync(PartitionId target, CancellationToken cancellationToken) => (await admin.OffsetsAsync(target, cancellationToken)).High;

    public bool IsForGood(Exception? error) => error is KafkaException e && TransactionalProducer.IsForGood(e.Error);

    public void Dispose() => producer?.Dispose();

    private static async Task LostIsVoid(Task task)
    {
        try
        {
            await task;
        }
        catch (TransactionLostException e)
        {
            throw new DeliveryException(e);
        }
    }
}
