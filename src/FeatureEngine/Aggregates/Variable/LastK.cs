using System.Buffers.Binary;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Aggregates.Variable;

/// <summary>
/// The k values with the greatest (event time, offset), newest first. State: entries of event time i64, offset i64, length i32, bytes (the
/// 8-byte lane, or UTF-8).
/// </summary>
internal sealed class LastK(FieldType type, int k) : VariableAggregate(type)
{
    private const int Header = 20;

    public override void Update(VariableState state, VariableInput input)
    {
        Span<byte> lane = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(lane, input.Lane);
        Insert(state, input.EventTimeUs, input.Offset, IsText ? input.Text : lane);
    }

    public override void Merge(VariableState into, ReadOnlySpan<byte> tile)
    {
        while (!tile.IsEmpty)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(tile[16..]);
            Insert(into, Time(tile), Offset(tile), tile.Slice(Header, length));
            tile = tile[(Header + length)..];
        }
    }

    public override void ReadOut(ReadOnlySpan<byte> state, FeatureRow row, int column, int index)
    {
        for (var i = 0; !state.IsEmpty; i++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(state[16..]);
            var value = state.Slice(Header, length);
            state = state[(Header + length)..];
            if (i < index)
                continue;
            if (IsText)
                row.Set(column, value);
            else
                row.Set(column, BinaryPrimitives.ReadInt64LittleEndian(value));
            return;
        }

        row.SetNull(column);
    }

    private void Insert(VariableState state, long eventTimeUs, long offset, ReadOnlySpan<byte> value)
    {
        int at = 0, rank = 0;
        var old = state.Span;
        for (; at < old.Length && IsNewer(old[at..], eventTimeUs, offset); rank++)
            at += EntryLength(old[at..]);
        if (rank == k)
            return;
        var end = EndOfKept(old, at, rank);
        var entry = Header + value.Length;
        var span = state.Resize(Math.Max(end + entry, state.Length));
        span[at..end].CopyTo(span[(at + entry)..]);
        BinaryPrimitives.WriteInt64LittleEndian(span[at..], eventTimeUs);
        BinaryPrimitives.WriteInt64LittleEndian(span[(at + 8)..], offset);
        BinaryPrimitives.WriteInt32LittleEndian(span[(at + 16)..], value.Length);
        value.CopyTo(span[(at + Header)..]);
        state.Resize(end + entry);
    }

    /// <summary>Where the entries end that stay when one is put in at <paramref name="at"/>: at most k - 1 of the old ones.</summary>
    private int EndOfKept(ReadOnlySpan<byte> old, int at, int rank)
    {
        for (; at < old.Length && rank < k - 1; rank++)
            at += EntryLength(old[at..]);
        return at;
    }

    private static bool IsNewer(ReadOnlySpan<byte> entry, long eventTimeUs, long offset) =>
        Time(entry) > eventTimeUs || (Time(entry) == eventTimeUs && Offset(entry) > offset);

    private static int EntryLength(ReadOnlySpan<byte> entry) => Header + BinaryPrimitives.ReadInt32LittleEndian(entry[16..]);

    private static long Time(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt64LittleEndian(entry);

    private static long Offset(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt64LittleEndian(entry[8..]);
}
