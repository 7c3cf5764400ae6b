using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Aggregates.Variable;

/// <summary>Least or greatest string by its UTF-8 bytes. State: one byte 1, then UTF-8.</summary>
internal sealed class RangeText(bool greatest) : VariableAggregate(FieldType.String)
{
    public override void Update(VariableState state, VariableInput input) => Offer(state, input.Text);

    public override void Merge(VariableState into, ReadOnlySpan<byte> tile)
    {
        if (!tile.IsEmpty)
            Offer(into, tile[1..]);
    }

    public override void ReadOut(ReadOnlySpan<byte> state, FeatureRow row, int column, int index)
    {
        if (state.IsEmpty)
            row.SetNull(column);
        else
            row.Set(column, state[1..]);
    }

    private void Offer(VariableState state, ReadOnlySpan<byte> text)
    {
        if (state.Length > 0)
        {
            var order = text.SequenceCompareTo(state.Span[1..]);
            if (greatest ? order <= 0 : order >= 0)
                return;
        }

        var span = state.Resize(1 + text.Length);
        span[0] = 1;
        text.CopyTo(span[1..]);
    }
}
