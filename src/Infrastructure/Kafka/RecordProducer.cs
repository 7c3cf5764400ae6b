using System.Collections.Concurrent;
using Confluent.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// Sends raw records in order, bounded in bytes: by what is under way, and on an embedded Kafka by the partition's budget.
/// A record that could not be delivered makes every later call fail, so nothing after a gap is taken for done.
/// Thread-safe, but the order of records is the order of calls of one thread.
/// </summary>
public sealed class RecordProducer : IAsyncDisposable
{
    /// <summary>What a record costs beside its bytes in the log: framing, and a share of its batch's header.</summary>
    private const int FramingBytes = 32;

    private readonly KafkaEndpoint endpoint;
    private readonly IProducer<byte[]?, byte[]?> client;
    private readonly PartitionBudget inFlight;
    private readonly TopicAdmin admin;
    private readonly ConcurrentDictionary<string, int> partitionCounts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<PartitionId, long> deliveredEnds = new();
    private readonly Action<DeliveryReport<byte[]?, byte[]?>> onReport;
    private KafkaException? failure;
    private int roundRobin;

    internal RecordProducer(KafkaEndpoint endpoint, IProducer<byte[]?, byte[]?> client, KafkaProducerOptions options)
    {
        this.endpoint = endpoint;
        this.client = client;
        inFlight = new PartitionBudget(options.InFlightMaxBytes);
        admin = new TopicAdmin(endpoint);
        onReport = report => Settle(report, Cost(report.Message.Key, report.Message.Value, null));
    }

    /// <summary>One past the last delivered offset per partition that this producer wrote to.</summary>
    public IReadOnlyDictionary<PartitionId, long> DeliveredEnds => deliveredEnds;

    /// <summary>Sends to the partition that the key hashes to; a null key goes round robin.</summary>
    /// <exception cref="InvalidOperationException">There is no such topic.</exception>
    public async ValueTask<PartitionId> SendAsync(
        string topic, byte[]? key, byte[]? value, long timestampUs, Headers? headers, CancellationToken cancellationToken)
    {
        if (!partitionCounts.TryGetValue(topic, out int count)) count = await CountAsync(topic, cancellationToken);
        int partition = key is null ? (Interlocked.Increment(ref roundRobin) & int.MaxValue) % count : KeyPartitioner.PartitionOf(key, count);
        var target = new PartitionId(topic, partition);
        await SendAsync(target, key, value, timestampUs, headers, cancellationToken);
        return target;
    }

    /// <summary>
    /// Returns once the record is handed over, not once it is delivered: see <see cref="FlushAsync"/>. Key and value must not be
    /// changed until then.
    /// </summary>
    /// <param name="target">Topic and partition.</param>
    /// <param name="key">The record's key, or null.</param>
    /// <param name="value">The record's value, or null for a tombstone.</param>
    /// <param name="timestampUs">Arrival time; Kafka keeps its milliseconds.</param>
    /// <param name="headers">Headers, or null.</param>
    /// <param name="cancellationToken">Ends the wait for room.</param>
    /// <exception cref="KafkaException">This or an earlier record could not be delivered.</exception>
    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[]? value, long timestampUs, Headers? headers, CancellationToken cancellationToken) =>
        SendAsync(target, key, value, timestampUs, headers, null, cancellationToken);

    /// <summary>As above, and tells the listener what became of this record.</summary>
    public async ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[]? value, long timestampUs, Headers? headers, IDeliveryListener? listener, CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        int cost = Cost(key, value, headers);
        if (endpoint.Budget is { } budget && !budget.TryReserve(target, cost)) await budget.ReserveAsync(target, cost, cancellationToken);
        if (!inFlight.TryReserve(cost)) await WaitForRoomAsync(target, cost, cancellationToken);
        var message = new Message<byte[]?, byte[]?>
        {
            Key = key,
            Value = value,
            Headers = headers,
            Timestamp = new Timestamp(timestampUs / 1000, TimestampType.CreateTime),
        };
        try
        {
            // A report does not carry headers, so their size must travel with the handler.
            client.Produce(new TopicPartition(target.Topic, target.Partition), message, headers is null && listener is null ? onReport : report => Settle(report, cost, listener));
        }
        catch (ProduceException<byte[]?, byte[]?> e)
        {
            Return(target, cost);
            throw Fail(new KafkaException(new Error(e.Error.Code, $"{target}: a record of {cost} bytes was refused: {e.Error.Reason}")));
        }
    }

    /// <summary>Everything sent so far is delivered when this returns.</summary>
    /// <exception cref="KafkaException">Something could not be delivered.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await Task.Run(() => client.Flush(cancellationToken), cancellationToken);

        // The client counts a record as done before its report was handled on the client's own thread. More than all fits only
        // when nothing is under way.
        await inFlight.ReserveAsync(int.MaxValue, cancellationToken);
        inFlight.Failed(int.MaxValue);
        ThrowIfFailed();
    }

    /// <summary>Gives what is under way ten seconds; flush first to know that it was delivered.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.Run(() => client.Flush(TimeSpan.FromSeconds(10)));
        client.Dispose();
        admin.Dispose();
    }

    /// <summary>Frees what is held beside the client, whose user has disposed it: what was under way is given up.</summary>
    internal void Abandon() => admin.Dispose();

    private static int Cost(byte[]? key, byte[]? value, Headers? headers)
    {
        int cost = FramingBytes + (key?.Length ?? 0) + (value?.Length ?? 0);
        if (headers is null) return cost;
        for (int i = 0; i < headers.Count; i++) cost += headers[i].Key.Length + (headers[i].GetValueBytes()?.Length ?? 0) + 8;
        return cost;
    }

    private async Task<int> CountAsync(string topic, CancellationToken cancellationToken)
    {
        int count = await admin.PartitionCountAsync(topic, cancellationToken) ?? throw new InvalidOperationException(
            $"Topic '{topic}' is not on {endpoint}: make it before producing to it, its partition count is part of its keys' order.");
        partitionCounts[topic] = count;
        return count;
    }

    private async Task WaitForRoomAsync(PartitionId target, int cost, CancellationToken cancellationToken)
    {
        try
        {
            await inFlight.ReserveAsync(cost, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            endpoint.Budget?.Failed(target, cost);
            throw;
        }
    }

    private void Settle(DeliveryReport<byte[]?, byte[]?> report, int cost, IDeliveryListener? listener = null)
    {
        var target = new PartitionId(report.Topic, report.Partition.Value);
        if (report.Error.IsError)
        {
            endpoint.Budget?.Failed(target, cost);
            var error = Fail(new KafkaException(new Error(report.Error.Code, $"{target}: a record of {cost} bytes could not be delivered: {report.Error.Reason}")));
            listener?.Failed(error);
        }
        else
        {
            // Not simply the last one: a flush answers reports beside the client's own thread, and may overtake it.
            deliveredEnds.AddOrUpdate(target, static (_, end) => end, static (_, old, end) => Math.Max(old, end), report.Offset.Value + 1);
            endpoint.Budget?.Delivered(target, report.Offset.Value, cost);
            listener?.Delivered(target, report.Offset.Value);
        }

        // Last: a flush that sees nothing under way must see all that the report changed.
        inFlight.Failed(cost);
    }

    private void Return(PartitionId target, int cost)
    {
        inFlight.Failed(cost);
        endpoint.Budget?.Failed(target, cost);
    }

    private KafkaException Fail(KafkaException exception) => Interlocked.CompareExchange(ref failure, exception, null) ?? exception;

    private void ThrowIfFailed()
    {
        if (Volatile.Read(ref failure) is { } e) throw new KafkaException(e.Error, e);
    }
}
