using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>Finds the records of a transaction that readers do not see: they must be sent again.</summary>
internal sealed class LostRecords(PartitionId log, LogExcerpts excerpts)
{
    /// <summary>Copies of them by target, in each target's order.</summary>
    public async Task<IReadOnlyList<(PartitionId Target, Message<byte[], byte[]> Record)>> FindAsync(NoteTail tail, SentNote note, CancellationToken cancellationToken)
    {
        var found = new List<(PartitionId, Message<byte[], byte[]>)>();
        foreach (var span in note.Spans)
        {
            foreach (var record in await excerpts.ReadAsync(span.Target, span.First, span.End, IsolationLevel.ReadUncommitted, cancellationToken))
            {
                if (SourceOffsetOf(record.Message.Headers) is { } offset && note.Range.Contains(offset) && tail.IsLost(offset))
                    found.Add((span.Target, record.Message));
            }
        }

        return found;
    }

    // Others send to these targets too. Repartitioned records tell where they came from in bytes, dead letters in words.
    private long? SourceOffsetOf(Headers? headers)
    {
        if (headers is null)
            return null;
        if (headers.TryGetLastBytes(LogNames.SourcePositionHeader, out var position))
            return position.Length == 12 && BinaryPrimitives.ReadInt32BigEndian(position) == log.Partition ? BinaryPrimitives.ReadInt64BigEndian(position.AsSpan(4)) : null;
        return headers.TryGetLastBytes(DeadLetters.SourcePartition, out var partition) && headers.TryGetLastBytes(DeadLetters.SourceOffset, out var offset)
            && Number(partition) == log.Partition ? Number(offset) : null;
    }

    private static long? Number(byte[] text) => long.TryParse(Encoding.ASCII.GetString(text), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
