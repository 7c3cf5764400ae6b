using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>A header of a record that is sent.</summary>
internal readonly record struct OutgoingHeader(string Name, byte[] Value);

/// <summary>Where dead letters and repartitioned records go. Thread-safe; the order of one partition's records is the order of calls.</summary>
internal interface IRecordSink
{
    /// <summary>Partitions of the topic.</summary>
    int PartitionCount(string topic);

    /// <summary>Hands the record over; completes when there was room for it. Its fate is told to <paramref name="deliveries"/>.</summary>
    ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken);
}
