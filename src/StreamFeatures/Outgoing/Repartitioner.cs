using System.Buffers.Binary;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Decoding;
using StreamMl.StreamFeatures.Logs;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>
/// Copies the events of one source partition into the repartition topics: the raw value under the new key, the arrival clock as timestamp, the
/// source position as a header. Should some be sent again after a fault, the reader's gate drops them by that header. Not thread-safe.
/// </summary>
internal sealed class Repartitioner
{
    private readonly IReadOnlyList<(string Topic, int[] KeyColumns, int Partitions)> targets;
    private readonly IOutbox outbox;
    private readonly Utf8Arena keys = new();
    private readonly int sourcePartition;
    private bool[] routed = new bool[4096];

    public Repartitioner(LogPlan plan, PartitionId partition, IOutboxes outboxes, IOutbox outbox)
    {
        this.outbox = outbox;
        sourcePartition = partition.Partition;
        targets = [.. plan.Routes.Select(r => (r.Topic, r.KeyFields.Select(plan.BatchSchema.IndexOf).ToArray(), outboxes.PartitionCount(r.Topic)))];
    }

    /// <summary>Whether each row of the last batch went to at least one topic.</summary>
    public ReadOnlySpan<bool> Routed => routed;

    /// <summary>Sends the rows from <paramref name="fromRow"/> on. A row whose new key has a null field goes nowhere.</summary>
    public async ValueTask SendAsync(PartitionDecoder decoded, int fromRow, Deliveries deliveries, CancellationToken cancellationToken)
    {
        var events = decoded.Events;
        if (routed.Length < events.Count)
            routed = new bool[events.Count];
        routed.AsSpan(0, events.Count).Clear();
        if (targets.Count == 0)
            return;
        for (var row = fromRow; row < events.Count; row++)
        {
            byte[]? value = null;
            OutgoingHeader[]? headers = null;
            foreach (var target in targets)
            {
                if (KeyOf(events, target.KeyColumns, row) is not { } key)
                    continue;
                value ??= decoded.Slice.Records.Value(decoded.RecordRows[row]).ToArray();
                headers ??= [new(LogNames.SourcePositionHeader, SourcePosition(events.Offsets[row]))];
                var to = new PartitionId(target.Topic, KeyPartitioner.PartitionOf(key, target.Partitions));
                await outbox.SendAsync(events.Offsets[row], to, key, value, events.ArrivalTimesUs[row], headers, deliveries, cancellationToken);
                routed[row] = true;
            }
        }
    }

    private byte[]? KeyOf(EventBatch events, int[] keyColumns, int row)
    {
        keys.Clear();
        var lane = EntityKey.Append(keys, events, keyColumns, row);
        return lane < 0 ? null : keys.Slice(lane).ToArray();
    }

    private byte[] SourcePosition(long offset)
    {
        var header = new byte[12];
        BinaryPrimitives.WriteInt32BigEndian(header, sourcePartition);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(4), offset);
        return header;
    }
}
