using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>Gives each pipeline its way out. Thread-safe.</summary>
internal interface IOutboxes
{
    /// <summary>Partitions of the topic.</summary>
    int PartitionCount(string topic);

    /// <summary>For the pipeline of one log partition that goes on at an offset which the store has.</summary>
    IOutbox Open(LogPlan plan, PartitionId partition, long nextOffset);
}

/// <summary>
/// What one log partition's pipeline sends, dead letters and repartitioned records, sealed before each commit of the store. Not thread-safe, but a seal may be under way while the next records are sent.
/// </summary>
internal interface IOutbox : IDisposable
{
    /// <summary>Hands a record over; completes when there was room for it. Its fate is told to <paramref name="deliveries"/>.</summary>
    /// <exception cref="DeliveryException">Nothing can be sent any more: what was sent since the last seal is void, and so is this outbox.</exception>
    ValueTask SendAsync(
        long sourceOffset, PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries,
        CancellationToken cancellationToken);

    /// <summary>When this ends, all that was sent with these deliveries is in its topics for good: the store may pass <paramref name="nextOffset"/>.</summary>
    /// <exception cref="DeliveryException">It is not, or that is not known: what the store and the topics have must be looked at.</exception>
    Task SealAsync(Deliveries deliveries, long nextOffset, CancellationToken cancellationToken);

    /// <summary>Call when it is quiet, and nothing was sent since the last seal: what was sealed is seen by readers when this ends, whatever became of the broker meanwhile.</summary>
    /// <exception cref="DeliveryException">Nothing can be sent any more: this outbox is void.</exception>
    Task SettleAsync(CancellationToken cancellationToken);
}

/// <summary>Sends by a sink that all share, and waits until all is delivered. After a crash some records are sent again; readers know them by their source position.</summary>
internal sealed class PlainOutbox(IRecordSink sink) : IOutbox
{
    public ValueTask SendAsync(
        long sourceOffset, PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries,
        CancellationToken cancellationToken) => sink.SendAsync(target, key, value, timestampUs, headers, deliveries, cancellationToken);

    public Task SealAsync(Deliveries deliveries, long nextOffset, CancellationToken cancellationToken) => deliveries.WhenAllAsync(cancellationToken);

    public Task SettleAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }
}
