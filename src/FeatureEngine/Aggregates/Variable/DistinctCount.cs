using System.Buffers.Binary;
using System.IO.Hashing;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Aggregates.Variable;

/// <summary>
/// Number of different values, exact up to a bound; with more, the bound itself. State: the values' identities in ascending order, 8 bytes
/// big-endian of the lane, or 16 bytes of XxHash128 of a string. A full set takes in nothing more, so that it is decided by the order of
/// the log which members it holds.
/// </summary>
internal sealed class DistinctCount(FieldType type, int bound) : VariableAggregate(type)
{
    public const int DefaultBound = 1_000;

    private int Width => IsText ? 16 : 8;

    public override void Update(VariableState state, VariableInput input)
    {
        Span<byte> identity = stackalloc byte[16];
        if (IsText)
            XxHash128.Hash(input.Text, identity);
        else
            BinaryPrimitives.WriteInt64BigEndian(identity, input.Lane);
        Insert(state, identity[..Width]);
    }

    public override void Merge(VariableState into, ReadOnlySpan<byte> tile)
    {
        for (; !tile.IsEmpty; tile = tile[Width..])
            Insert(into, tile[..Width]);
    }

    public override void ReadOut(ReadOnlySpan<byte> state, FeatureRow row, int column, int index) => row.Set(column, (long)(state.Length / Width));

    private void Insert(VariableState state, ReadOnlySpan<byte> identity)
    {
        int low = 0, high = state.Length / Width;
        if (high >= bound)
            return;
        var old = state.Span;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var order = old.Slice(middle * Width, Width).SequenceCompareTo(identity);
            if (order == 0)
                return;
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }

        var length = state.Length;
        var span = state.Resize(length + Width);
        span[(low * Width)..length].CopyTo(span[((low + 1) * Width)..]);
        identity.CopyTo(span[(low * Width)..]);
    }
}
