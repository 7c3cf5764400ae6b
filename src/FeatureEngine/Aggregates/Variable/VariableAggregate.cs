using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Aggregates.Variable;

/// <summary>A growable byte state. Empty is the identity of every variable aggregate. Not thread-safe.</summary>
internal sealed class VariableState
{
    private byte[] bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => bytes.AsSpan(0, Length);

    /// <summary>The state with a new length; bytes that were there stay.</summary>
    public Span<byte> Resize(int length)
    {
        if (length > bytes.Length)
            Array.Resize(ref bytes, Math.Max(length, bytes.Length * 2));
        Length = length;
        return bytes.AsSpan(0, length);
    }

    public void Set(ReadOnlySpan<byte> state) => state.CopyTo(Resize(state.Length));

    public void Clear() => Length = 0;
}

/// <summary>One present value on its way into a variable aggregate.</summary>
internal readonly ref struct VariableInput(long eventTimeUs, long offset, long lane, ReadOnlySpan<byte> text)
{
    public readonly long EventTimeUs = eventTimeUs;
    public readonly long Offset = offset;
    public readonly long Lane = lane;
    public readonly ReadOnlySpan<byte> Text = text;
}

/// <summary>
/// An aggregate whose state has no fixed size. It is a monoid over byte strings: empty is the identity, <see cref="Merge"/> folds tiles
/// from left to right, and <see cref="Update"/> is the merge of a singleton. The bytes are the same in memory and in the store. Sketches,
/// top-k and histograms are further subclasses. Instances are immutable and thread-safe; states are not.
/// </summary>
internal abstract class VariableAggregate(FieldType type)
{
    protected FieldType Type { get; } = type;

    protected bool IsText => Type == FieldType.String;

    public abstract void Update(VariableState state, VariableInput input);

    public abstract void Merge(VariableState into, ReadOnlySpan<byte> tile);

    /// <summary>Writes output number <paramref name="index"/> of the aggregation; an empty state reads out as the aggregation's empty value.</summary>
    public abstract void ReadOut(ReadOnlySpan<byte> state, FeatureRow row, int column, int index);
}
