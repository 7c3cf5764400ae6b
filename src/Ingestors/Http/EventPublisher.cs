using System.Text;
using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Ingestors.Http;

/// <summary>What became of one record.</summary>
/// <param name="Index">In the request, from 0.</param>
/// <param name="Status"><c>accepted</c>: it is in the topic for good; <c>rejected</c>: it is in the dead-letter topic.</param>
/// <param name="Partition">Of an accepted record.</param>
/// <param name="Offset">Of an accepted record.</param>
/// <param name="Error">Of a rejected record: what is wrong, and what would be right.</param>
public sealed record RecordResult(int Index, string Status, int? Partition, long? Offset, string? Error);

/// <summary>Sends records and waits until they are delivered. A producer that has failed is replaced. Thread-safe.</summary>
internal sealed class EventPublisher(KafkaEndpoint kafka) : IAsyncDisposable
{
    private readonly Lock gate = new();
    private RecordProducer? producer;

    /// <summary>Why the last producer failed; null while all is well.</summary>
    public string? Failure { get; private set; }

    /// <exception cref="KafkaException">Some may not have been delivered: nothing is known of the request's records.</exception>
    public async Task<RecordResult[]> PublishAsync(
        EventIntake intake, ReadOnlyMemory<byte> body, IReadOnlyList<Range> ranges, long arrivalTimeUs, CancellationToken cancellationToken)
    {
        var current = Producer();
        try
        {
            var deliveries = new Delivery[ranges.Count];
            for (var i = 0; i < deliveries.Length; i++)
            {
                var json = body[ranges[i]];
                var record = intake.Read(json.Span, arrivalTimeUs);
                deliveries[i] = new Delivery(record.Error);
                await SendAsync(current, intake, record, json, arrivalTimeUs, deliveries[i], cancellationToken);
            }

            await Task.WhenAll(deliveries.Select(d => d.Done)).WaitAsync(cancellationToken);
            Failure = null;
            return [.. deliveries.Select((d, i) => d.ToResult(i))];
        }
        catch (KafkaException e)
        {
            await ReplaceAsync(current, e);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (producer is not null)
            await producer.DisposeAsync();
    }

    private static ValueTask SendAsync(
        RecordProducer current, EventIntake intake, IntakeRecord record, ReadOnlyMemory<byte> json, long arrivalTimeUs, Delivery delivery, CancellationToken cancellationToken)
    {
        if (record.Error is null)
            return current.SendAsync(new PartitionId(intake.Source.Topic, record.Partition), record.Key, record.Value, arrivalTimeUs, null, delivery, cancellationToken);
        var headers = new Headers { { "reason", Encoding.UTF8.GetBytes(record.Error) }, { "source", "HTTP"u8.ToArray() } };
        return current.SendAsync(new PartitionId(LogNames.DeadLetterTopic(intake.Source.Topic), 0), null, json.ToArray(), arrivalTimeUs, headers, delivery, cancellationToken);
    }

    private RecordProducer Producer()
    {
        lock (gate)
            return producer ??= new KafkaProducerFactory(kafka).Create();
    }

    private async Task ReplaceAsync(RecordProducer failed, KafkaException error)
    {
        Failure = error.Error.Reason;
        lock (gate)
        {
            if (producer != failed)
                return;
            producer = null;
        }

        await failed.DisposeAsync();
    }

    private sealed class Delivery(string? error) : IDeliveryListener
    {
        private readonly TaskCompletionSource<(int Partition, long Offset)> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<(int Partition, long Offset)> Done => done.Task;

        public void Delivered(PartitionId target, long offset) => done.TrySetResult((target.Partition, offset));

        public void Failed(Exception failure) => done.TrySetException(failure as KafkaException ?? new KafkaException(new Error(ErrorCode.Local_Fail, failure.Message), failure));

        public RecordResult ToResult(int index) => error is null
            ? new RecordResult(index, "accepted", Done.Result.Partition, Done.Result.Offset, null)
            : new RecordResult(index, "rejected", null, null, error);
    }
}
