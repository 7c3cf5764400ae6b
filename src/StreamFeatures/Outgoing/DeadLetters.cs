using System.Globalization;
using System.Text;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Decoding;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>
/// Sends bad records to their topic's dead-letter topic with their original key, value and timestamp; headers say why and where
/// they came from (reason, source-topic, source-partition, source-offset, as text).
/// </summary>
internal sealed class DeadLetters(LogPlan plan, PartitionId partition, IOutboxes outboxes, IOutbox outbox)
{
    /// <summary>Headers of where it came from.</summary>
    public const string SourcePartition = "source-partition";

    public const string SourceOffset = "source-offset";

    private readonly string topic = LogNames.DeadLetterTopic(plan.Topic);

    public async ValueTask SendAsync(RecordSlice slice, BadRecord bad, Deliveries deliveries, CancellationToken cancellationToken)
    {
        var record = slice.Records.Records[bad.Row];
        OutgoingHeader[] headers =
        [
            new("reason", Encoding.UTF8.GetBytes(bad.Reason)),
            new("source-topic", Encoding.UTF8.GetBytes(plan.Topic)),
            new(SourcePartition, Text(partition.Partition)),
            new(SourceOffset, Text(record.Offset)),
        ];
        var key = record.HasKey ? slice.Records.Key(bad.Row).ToArray() : null;
        var target = new PartitionId(topic, partition.Partition % outboxes.PartitionCount(topic));
        await outbox.SendAsync(record.Offset, target, key, slice.Records.Value(bad.Row).ToArray(), record.TimestampUs, headers, deliveries, cancellationToken);
    }

    private static byte[] Text(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
}
