namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// The fields of one record on their way to Avro: each is encoded as it is set (<see cref="AvroEncoder"/> checks it then) and put in the schema's
/// order when the record is written. Setting a field again replaces it. Reusable (<see cref="Clear"/>); not thread-safe.
/// </summary>
public sealed class RecordValues
{
    private readonly int[] starts;
    private readonly int[] lengths;

    internal RecordValues(AvroEncoder encoder, int fields)
    {
        Encoder = encoder;
        starts = new int[fields];
        lengths = new int[fields];
        Clear();
    }

    internal AvroEncoder Encoder { get; }

    internal ByteScratch Scratch { get; } = new();

    internal Span<int> Starts => starts;

    internal Span<int> Lengths => lengths;

    public bool IsSet(int fieldIndex) => starts[fieldIndex] >= 0;

    /// <summary>No field is set.</summary>
    public void Clear()
    {
        Array.Fill(starts, -1);
        Scratch.Clear();
    }

    internal ReadOnlySpan<byte> Encoded(int fieldIndex) => Scratch.Slice(starts[fieldIndex], lengths[fieldIndex]);

    internal void Mark(int fieldIndex, int start)
    {
        starts[fieldIndex] = start;
        lengths[fieldIndex] = Scratch.Length - start;
    }
}
