using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>A header of a record that is sent.</summary>
internal readonly record struct OutgoingHeader(string Name, byte[] Value);

/// <summary>Where dead letters and repartitioned records of all pipelines go. Thread-safe; the order of one partition's records is the order of calls.</summary>
internal interface IRecordSink : IOutboxes
{
    IOutbox IOutboxes.Open(LogPlan plan, PartitionId partition, long nextOffset) => new PlainOutbox(this);

    /// <summary>Hands the record over; completes when there was room for it. Its fate is told to <paramref name="deliveries"/>.</summary>
    ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken);
}
