using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// A row between scan and fold, in 8-byte words: entity id (low) and length in words (high), event time, offset, watermark before it, validity
/// bits, lanes, and the bytes of its strings, where a string's lane is its start within the row and its length.
/// </summary>
internal sealed unsafe class RowLayout
{
    public const int EventTimeWord = 1;
    public const int OffsetWord = 2;
    public const int WatermarkWord = 3;
    private const int ValidWord = 4;

    private readonly int firstLane;
    private readonly bool[] isText;
    private readonly bool hasText;

    public RowLayout(EventSchema columns)
    {
        Columns = columns;
        isText = [.. columns.Fields.Select(f => f.Type == FieldType.String)];
        hasText = isText.Contains(true);
        firstLane = ValidWord + ((columns.Fields.Count + 63) / 64);
        FixedBytes = 8 * (firstLane + columns.Fields.Count);
    }

    public EventSchema Columns { get; }

    /// <summary>Bytes of a row without its strings.</summary>
    public int FixedBytes { get; }

    public static int EntityOf(byte* row) => *(int*)row;

    public static int BytesOf(byte* row) => ((int*)row)[1] * 8;

    public static long Word(byte* row, int word) => ((long*)row)[word];

    public int BytesFor(ViewInput input, int row)
    {
        if (!hasText)
            return FixedBytes;
        var bytes = FixedBytes;
        for (var c = 0; c < isText.Length; c++)
        {
            if (isText[c] && input.Aggregated(c).Valid[row] != 0)
                bytes += (int)input.Aggregated(c).Lanes[row];
        }

        return (bytes + 7) & ~7;
    }

    public void Write(byte* to, int bytes, int entity, long watermarkUs, ViewInput input, int row)
    {
        var words = (long*)to;
        words[0] = ((long)(bytes / 8) << 32) | (uint)entity;
        words[EventTimeWord] = input.Batch.EventTimesUs[row];
        words[OffsetWord] = input.Batch.Offsets[row];
        words[WatermarkWord] = watermarkUs;
        for (var w = ValidWord; w < firstLane; w++)
            words[w] = 0;
        var text = FixedBytes;
        for (var c = 0; c < isText.Length; c++)
        {
            var column = input.Aggregated(c);
            var lane = column.Lanes[row];
            if (column.Valid[row] == 0)
            {
                words[firstLane + c] = 0;
                continue;
            }

            words[ValidWord + (c >> 6)] |= 1L << (c & 63);
            if (isText[c])
            {
                var value = input.Batch.Arena.Slice(lane);
                value.CopyTo(new Span<byte>(to + text, value.Length));
                lane = Utf8Arena.Pack(text, value.Length);
                text += value.Length;
            }

            words[firstLane + c] = lane;
        }
    }

    /// <summary>Makes the row the batch's row <paramref name="at"/>.</summary>
    public void Read(byte* from, EventBatch batch, int at)
    {
        var words = (long*)from;
        batch.EventTimesUs[at] = words[EventTimeWord];
        batch.Offsets[at] = words[OffsetWord];
        batch.WatermarksUs[at] = words[WatermarkWord];
        var columns = batch.ColumnSpan;
        for (var c = 0; c < columns.Length; c++)
        {
            var valid = (byte)((words[ValidWord + (c >> 6)] >> (c & 63)) & 1);
            var lane = words[firstLane + c];
            if (hasText && isText[c] && valid != 0)
                lane = batch.Arena.Append(new ReadOnlySpan<byte>(from + (lane >> 32), (int)lane));
            columns[c].Lanes[at] = lane;
            columns[c].Valid[at] = valid;
        }
    }
}
