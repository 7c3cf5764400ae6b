using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>Kafka's transactions under the id of one log partition. The note of what was sent is a record of the transaction.</summary>
internal sealed class KafkaTransactions(
    KafkaEndpoint kafka, string transactionalId, PartitionId log, Func<CancellationToken, Task<SentNotes>> notesOf, LogExcerpts excerpts, TopicAdmin admin, Action<int> onLost) : ITransactions
{
    private readonly byte[] noteKey = SentNotes.Key(log);
    private TransactionalProducer? producer;
    private SentNotes? notes;

    public bool IsInDoubt => producer is { HasLostBroker: true };

    private TransactionalProducer Producer => producer ?? throw new InvalidOperationException($"nothing can be sent for {log} before its transactional id was taken");

    public Task<long> TakeAsync(long nextOffset, CancellationToken cancellationToken) => VoidIfLost(ReallyTakeAsync(nextOffset, cancellationToken));

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

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken) =>
        ProduceAsync(target, key, value, timestampUs, KafkaRecordSink.HeadersOf(headers), deliveries, cancellationToken);

    public async Task CommitAsync(SentNote note, CancellationToken cancellationToken)
    {
        // By the clock, not by the records' arrival: the broker counts by it when the topic may be compacted.
        var nowUs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        var deliveries = new Deliveries();
        await ProduceAsync(notes!.Of(log), noteKey, note.Encode(), nowUs, null, deliveries, cancellationToken);
        await deliveries.WhenAllAsync(cancellationToken);
        await VoidIfLost(Done(Producer.CommitAsync(cancellationToken)));
    }

    public async Task<long> EndAsync(PartitionId target, CancellationToken cancellationToken) => (await VoidIfLost(admin.OffsetsAsync(target, cancellationToken))).High;

    public bool IsForGood(Exception? error) => error is KafkaException e && TransactionalProducer.IsForGood(e.Error);

    public void Dispose() => producer?.Dispose();

    private async Task<long> ReallyTakeAsync(long nextOffset, CancellationToken cancellationToken)
    {
        notes = await notesOf(cancellationToken);
        producer?.Dispose();
        producer = new TransactionalProducer(kafka, transactionalId);
        await producer.InitAsync(cancellationToken);
        var tail = await notes.ReadAsync(log, cancellationToken);
        while (tail.Lost is [var lost, ..])
        {
            await SendAgainAsync(tail, lost, cancellationToken);
            tail = tail with { Committed = [.. tail.Committed, lost] };
        }

        return tail.SentTo(nextOffset);
    }

    // Should only the markers be missing, the commit of these brings the hanging ones to light too: readers drop what they see twice by its source position.
    private async Task SendAgainAsync(NoteTail tail, SentNote lost, CancellationToken cancellationToken)
    {
        var records = await new LostRecords(log, excerpts).FindAsync(tail, lost, cancellationToken);
        if (records.Count == 0)
            return;
        onLost(records.Count);
        Begin();
        var deliveries = new Deliveries();
        foreach (var (target, record) in records)
            await ProduceAsync(target, record.Key, record.Value, record.Timestamp.UnixTimestampMs * 1000, record.Headers, deliveries, cancellationToken);
        await deliveries.WhenAllAsync(cancellationToken);
        await CommitAsync(lost with { Spans = deliveries.Spans }, cancellationToken);
    }

    private async ValueTask ProduceAsync(PartitionId target, byte[]? key, byte[] value, long timestampUs, Headers? headers, Deliveries deliveries, CancellationToken cancellationToken)
    {
        deliveries.Sending();
        try
        {
            await Producer.SendAsync(target, key, value, timestampUs, headers, deliveries, cancellationToken);
        }
        catch (TransactionLostException e)
        {
            throw new DeliveryException(e);
        }
    }

    private static async Task<bool> Done(Task task)
    {
        await task;
        return true;
    }

    private async Task<T> VoidIfLost<T>(Task<T> task)
    {
        try
        {
            return await task;
        }
        catch (Exception e) when (e is TransactionLostException || (e is KafkaException { Error.IsFatal: false } && !IsForGood(e)))
        {
            throw new DeliveryException(e);
        }
    }
}
