using System.Text;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.StreamFeatures.Rebuilding;

/// <summary>
/// Sends only what was not delivered before: a replay of a source must not fill its repartition and dead-letter topics again, and must not leave out
/// what a worker had read and not sent yet. Thread-safe.
/// </summary>
internal sealed class ResumedSink(IRecordSink inner, DeliveredMarks delivered) : IRecordSink
{
    public int PartitionCount(string topic) => inner.PartitionCount(topic);

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken)
    {
        if (!DeliveredMarks.TryReadOrigin(name => ValueOf(headers, name), out var partition, out var offset) || !delivered.Has(target, partition, offset, out var end))
            return inner.SendAsync(target, key, value, timestampUs, headers, deliveries, cancellationToken);
        deliveries.Sending();
        deliveries.Delivered(target, end - 1);
        return ValueTask.CompletedTask;
    }

    private static byte[]? ValueOf(IReadOnlyList<OutgoingHeader> headers, byte[] name)
    {
        var text = Encoding.ASCII.GetString(name);
        foreach (var header in headers)
        {
            if (header.Name == text)
                return header.Value;
        }

        return null;
    }
}
