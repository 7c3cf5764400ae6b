namespace StreamMl.Infrastructure.Avro;

/// <summary>Growing bytes that can be cut and shifted; reused, so that encoding allocates nothing in steady state. Not thread-safe.</summary>
internal sealed class ByteScratch
{
    private byte[] bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Slice(int start, int length) => bytes.AsSpan(start, length);

    public void Clear() => Length = 0;

    public void Truncate(int length) => Length = length;

    public void Append(ReadOnlySpan<byte> source) => source.CopyTo(Reserve(source.Length));

    public void AppendByte(byte value) => Reserve(1)[0] = value;

    public void AppendVarint(long value)
    {
        var length = Varint.Write(Reserve(Varint.MaxLength), value);
        Length -= Varint.MaxLength - length;
    }

    /// <summary>A copy of bytes that are already in here; the source may move while it grows.</summary>
    public void AppendOwn(int start, int length)
    {
        Reserve(length);
        bytes.AsSpan(start, length).CopyTo(bytes.AsSpan(Length - length));
    }

    /// <summary>Puts a varint before the bytes from <paramref name="start"/> on: a count or length that is only known behind them.</summary>
    public void InsertVarint(int start, long value)
    {
        Span<byte> encoded = stackalloc byte[Varint.MaxLength];
        var length = Varint.Write(encoded, value);
        Reserve(length);
        bytes.AsSpan(start, Length - length - start).CopyTo(bytes.AsSpan(start + length));
        encoded[..length].CopyTo(bytes.AsSpan(start));
    }

    /// <summary>Takes out <paramref name="count"/> bytes; what stands behind them moves down.</summary>
    public void Remove(int start, int count)
    {
        bytes.AsSpan(start + count, Length - start - count).CopyTo(bytes.AsSpan(start));
        Length -= count;
    }

    public Span<byte> Reserve(int count)
    {
        if (Length + count > bytes.Length)
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, Length + count));
        Length += count;
        return bytes.AsSpan(Length - count, count);
    }
}
