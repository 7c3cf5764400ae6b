using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// A row between scan and fold, in 8-byte words. The first has the entity's id (low half) and the row's head (high half).
/// Short, where no column is text and there are at most 31 of them, as nearly always: the head is the columns' validity bits, then event time, then
/// offset less the first one (low half) and watermark less event time (high half, signed), then lanes.
/// Long, where a short one cannot say it: the head is the length in words and the top bit, then event time, offset, watermark, validity bits, lanes,
/// and the bytes of strings, where a string's lane is its start within the row and its length.
/// </summary>
internal sealed unsafe class RowLayout
{
    private const uint LongBit = 1u << 31;
    private const int MostShortColumns = 31;
    private const int ShortFirstLane = 3;
    private const int ValidWord = 4;

    private readonly int longFirstLane;
    private readonly int longBytes;
    private readonly int shortBytes;
    private readonly bool[] isText;
    private readonly bool hasText;
    private readonly bool isShort;
    private long firstOffset = -1;

    public RowLayout(EventSchema columns)
    {
        Columns = columns;
        isText = [.. columns.Fields.Select(f => f.Type == FieldType.String)];
        hasText = isText.Contains(true);
        isShort = !hasText && isText.Length <= MostShortColumns;
        longFirstLane = ValidWord + ((columns.Fields.Count + 63) / 64);
        longBytes = 8 * (longFirstLane + columns.Fields.Count);
        shortBytes = 8 * (ShortFirstLane + columns.Fields.Count);
    }

    public EventSchema Columns { get; }

    /// <summary>Bytes of most rows without their strings, for estimates.</summary>
    public int UsualBytes => isShort ? shortBytes : longBytes;

    public static int EntityOf(byte* row) => *(int*)row;

    public static long EventTimeOf(byte* row) => ((long*)row)[1];

    public long OffsetOf(byte* row) => IsLong(row) ? ((long*)row)[2] : firstOffset + ((uint*)row)[4];

    public int BytesOf(byte* row) => IsLong(row) ? (int)(((uint*)row)[1] & ~LongBit) * 8 : shortBytes;

    /// <summary>Bytes that a row may take.</summary>
    public int MostBytesOf(ViewInput input, int row)
    {
        if (!hasText)
            return longBytes;
        var bytes = longBytes;
        for (var c = 0; c < isText.Length; c++)
        {
            if (isText[c] && input.Aggregated(c).Valid[row] != 0)
                bytes += (int)input.Aggregated(c).Lanes[row];
        }

        return (bytes + 7) & ~7;
    }

    /// <summary>Writes a row and returns its bytes. Offsets ascend.</summary>
    public int Write(byte* to, int entity, long watermarkUs, ViewInput input, int row)
    {
        var batch = input.Batch;
        var (timeUs, offset) = (batch.EventTimesUs[row], batch.Offsets[row]);
        if (firstOffset < 0)
            firstOffset = offset;
        var behind = unchecked(watermarkUs - timeUs);
        if (!isShort || offset - firstOffset > uint.MaxValue || behind != (int)behind)
            return WriteLong(to, entity, watermarkUs, input, row);
        var words = (long*)to;
        words[1] = timeUs;
        words[2] = (behind << 32) | (offset - firstOffset);
        var valid = 0u;
        for (var c = 0; c < isText.Length; c++)
        {
            var column = input.Aggregated(c);
            valid |= (uint)column.Valid[row] << c;
            words[ShortFirstLane + c] = column.Lanes[row];
        }

        words[0] = ((long)valid << 32) | (uint)entity;
        return shortBytes;
    }

    /// <summary>Makes the row the batch's row <paramref name="at"/>.</summary>
    public void Read(byte* from, EventBatch batch, int at)
    {
        if (IsLong(from))
        {
            ReadLong(from, batch, at);
            return;
        }

        var words = (long*)from;
        var timeUs = words[1];
        batch.EventTimesUs[at] = timeUs;
        batch.Offsets[at] = firstOffset + (uint)words[2];
        batch.WatermarksUs[at] = timeUs + (words[2] >> 32);
        var valid = (uint)(words[0] >> 32);
        var columns = batch.ColumnSpan;
        for (var c = 0; c < columns.Length; c++)
        {
            columns[c].Lanes[at] = words[ShortFirstLane + c];
            columns[c].Valid[at] = (byte)((valid >> c) & 1);
        }
    }

    private static bool IsLong(byte* row) => (((uint*)row)[1] & LongBit) != 0;

    private int WriteLong(byte* to, int entity, long watermarkUs, ViewInput input, int row)
    {
        var bytes = MostBytesOf(input, row);
        var words = (long*)to;
        words[0] = ((long)((uint)(bytes / 8) | LongBit) << 32) | (uint)entity;
        words[1] = input.Batch.EventTimesUs[row];
        words[2] = input.Batch.Offsets[row];
        words[3] = watermarkUs;
        for (var w = ValidWord; w < longFirstLane; w++)
            words[w] = 0;
        var text = longBytes;
        for (var c = 0; c < isText.Length; c++)
        {
            var column = input.Aggregated(c);
            var lane = column.Lanes[row];
            if (column.Valid[row] == 0)
            {
                words[longFirstLane + c] = 0;
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

            words[longFirstLane + c] = lane;
        }

        return bytes;
    }

    private void ReadLong(byte* from, EventBatch batch, int at)
    {
        var words = (long*)from;
        batch.EventTimesUs[at] = words[1];
        batch.Offsets[at] = words[2];
        batch.WatermarksUs[at] = words[3];
        var columns = batch.ColumnSpan;
        for (var c = 0; c < columns.Length; c++)
        {
            var valid = (byte)((words[ValidWord + (c >> 6)] >> (c & 63)) & 1);
            var lane = words[longFirstLane + c];
            if (isText[c] && valid != 0)
                lane = batch.Arena.Append(new ReadOnlySpan<byte>(from + (lane >> 32), (int)lane));
            columns[c].Lanes[at] = lane;
            columns[c].Valid[at] = valid;
        }
    }
}
