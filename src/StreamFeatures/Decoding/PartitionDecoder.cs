using System.Buffers.Binary;
using System.Text;
using StreamMl.FeatureEngine.Log;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures.Decoding;

/// <summary>A record that is no event, and why.</summary>
internal readonly record struct BadRecord(int Row, string Reason);

/// <summary>
/// Passes the records of one log partition through the gate and decodes the accepted ones into one reused batch: the state behind
/// <see cref="DecodeEventsOperator"/>. Not thread-safe.
/// </summary>
internal sealed class PartitionDecoder(LogPlan plan, PartitionId partition, ValueDecoder decoder, PositionRecord start)
{
    private static readonly byte[] SourcePosition = Encoding.ASCII.GetBytes(LogNames.SourcePositionHeader);

    private readonly LogGate gate = new(plan.Source, start);
    private long next = start.NextOffset;
    private int[] rows = new int[4096];

    /// <summary>The last decoded batch; overwritten by the next <see cref="Decode"/>.</summary>
    public EventBatch Events { get; } = new(plan.BatchSchema) { Partition = partition };

    /// <summary>The slice that <see cref="Events"/> was decoded from.</summary>
    public RecordSlice Slice { get; private set; }

    /// <summary>For each row of <see cref="Events"/>, its row in the slice's records.</summary>
    public ReadOnlySpan<int> RecordRows => rows.AsSpan(0, Events.Count);

    /// <summary>Dead letters of the slice, by record row.</summary>
    public List<BadRecord> Bad { get; } = [];

    /// <summary>Record rows of the slice that are duplicates.</summary>
    public List<int> Duplicates { get; } = [];

    /// <summary>First record of the slice that is not below the start position; those before were not looked at.</summary>
    public int FirstRow { get; private set; }

    public PositionRecord Position(long epoch) => gate.Position(epoch);

    /// <summary>The log has no record below this offset that was not decoded.</summary>
    public void SkipTo(long offset)
    {
        next = Math.Max(next, offset);
        gate.SkipTo(offset);
    }

    public EventBatch Decode(RecordSlice slice)
    {
        Slice = slice;
        Events.Clear();
        Bad.Clear();
        Duplicates.Clear();
        if (rows.Length < slice.Count)
            rows = new int[slice.Count];
        var records = slice.Records.Records.Slice(slice.First, slice.Count);
        var skipped = 0;
        while (skipped < records.Length && records[skipped].Offset < next)
            skipped++;
        FirstRow = slice.First + skipped;
        for (var i = skipped; i < records.Length; i++)
            Take(slice.Records, slice.First + i, records[i]);
        return Events;
    }

    private void Take(RawRecordBatch records, int row, in RawRecord record)
    {
        next = record.Offset + 1;
        var at = Events.NextRow();
        var strings = Events.Arena.Length;
        if (!TryDecode(records, row, record, at, out var eventTimeUs, out var origin, out var error))
        {
            gate.AdmitUndecodable(record.Offset, record.TimestampUs);
            Refuse(row, strings, error!);
            return;
        }

        switch (gate.Admit(record.Offset, record.TimestampUs, eventTimeUs, origin.Partition, origin.Offset, out var reason))
        {
            case Disposition.Accepted:
                Events.Offsets[at] = record.Offset;
                Events.ArrivalTimesUs[at] = gate.ArrivalClockUs;
                Events.EventTimesUs[at] = eventTimeUs;
                Events.WatermarksUs[at] = gate.WatermarkBeforeUs;
                rows[at] = row;
                Events.Count = at + 1;
                break;
            case Disposition.Duplicate:
                Events.Arena.Truncate(strings);
                Duplicates.Add(row);
                break;
            default:
                Refuse(row, strings, reason!);
                break;
        }
    }

    private bool TryDecode(
        RawRecordBatch records, int row, in RawRecord record, int at, out long eventTimeUs, out (int Partition, long Offset) origin, out string? error)
    {
        eventTimeUs = 0;
        origin = (-1, -1);
        if (!record.HasValue)
        {
            error = "the record has no value (a tombstone); events are never deleted";
            return false;
        }

        if (plan.IsRepartitioned && !TryReadOrigin(records, row, out origin))
        {
            error = $"the record has no '{LogNames.SourcePositionHeader}' header of 12 bytes; only StreamMl writes to {plan.Topic}";
            return false;
        }

        return decoder.TryDecode(records.Value(row), Events, at, out eventTimeUs, out error);
    }

    private static bool TryReadOrigin(RawRecordBatch records, int row, out (int Partition, long Offset) origin)
    {
        origin = (-1, -1);
        if (!records.TryGetHeader(row, SourcePosition, out var header) || header.Length != 12)
            return false;
        origin = (BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt64BigEndian(header[4..]));
        return origin.Partition >= 0;
    }

    private void Refuse(int row, int strings, string reason)
    {
        Events.Arena.Truncate(strings);
        Bad.Add(new BadRecord(row, reason));
    }
}
