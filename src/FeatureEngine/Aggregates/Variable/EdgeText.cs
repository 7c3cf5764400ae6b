using System.Buffers.Binary;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Aggregates.Variable;

/// <summary>First or last string by (event time, offset). State: event time i64, offset i64, UTF-8.</summary>
internal sealed class EdgeText(bool last) : VariableAggregate(FieldType.String)
{
    private const int Header = 16;

    public override void Update(VariableState state, VariableInput input)
    {
        if (state.Length == 0 || Wins(input.EventTimeUs, input.Offset, state.Span))
            Write(state, input.EventTimeUs, input.Offset, input.Text);
    }

    public override void Merge(VariableState into, ReadOnlySpan<byte> tile)
    {
        if (tile.IsEmpty)
            return;
        if (into.Length == 0 || Wins(BinaryPrimitives.ReadInt64LittleEndian(tile), BinaryPrimitives.ReadInt64LittleEndian(tile[8..]), into.Span))
            into.Set(tile);
    }

    public override void ReadOut(ReadOnlySpan<byte> state, FeatureRow row, int column, int index)
    {
        if (state.IsEmpty)
            row.SetNull(column);
        else
            row.Set(column, state[Header..]);
    }

    private bool Wins(long eventTimeUs, long offset, ReadOnlySpan<byte> over)
    {
        var order = eventTimeUs.CompareTo(BinaryPrimitives.ReadInt64LittleEndian(over));
        if (order == 0)
            order = offset.CompareTo(BinaryPrimitives.ReadInt64LittleEndian(over[8..]));
        return last ? order > 0 : order < 0;
    }

    private static void Write(VariableState state, long eventTimeUs, long offset, ReadOnlySpan<byte> text)
    {
        var span = state.Resize(Header + text.Length);
        BinaryPrimitives.WriteInt64LittleEndian(span, eventTimeUs);
        BinaryPrimitives.WriteInt64LittleEndian(span[8..], offset);
        text.CopyTo(span[Header..]);
    }
}
