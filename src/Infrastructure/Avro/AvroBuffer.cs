using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Avro's binary values one after the other, for a writer that knows its schema; reused, so that writing allocates nothing in steady state. Not thread-safe.
/// </summary>
public sealed class AvroBuffer
{
    private byte[] bytes = new byte[1024];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Confluent's wire header.</summary>
    public void Header(int schemaId)
    {
        Ensure(ConfluentWire.HeaderLength);
        ConfluentWire.WriteHeader(bytes.AsSpan(Length), schemaId);
        Length += ConfluentWire.HeaderLength;
    }

    /// <summary>An int, a long, a timestamp, a union's branch, an array's count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Long(long value)
    {
        Ensure(Varint.MaxLength);
        var raw = (ulong)((value << 1) ^ (value >> 63));
        if (raw < 0x80)
            bytes[Length++] = (byte)raw;
        else
            Length += Varint.Write(bytes.AsSpan(Length), value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Boolean(bool value)
    {
        Ensure(1);
        bytes[Length++] = value ? (byte)1 : (byte)0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Double(double value)
    {
        Ensure(sizeof(double));
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(Length), value);
        Length += sizeof(double);
    }

    /// <summary>A string, given as UTF-8.</summary>
    public void Text(ReadOnlySpan<byte> utf8)
    {
        Long(utf8.Length);
        Raw(utf8);
    }

    /// <summary>Bytes that are encoded already.</summary>
    public void Raw(ReadOnlySpan<byte> encoded)
    {
        Ensure(encoded.Length);
        encoded.CopyTo(bytes.AsSpan(Length));
        Length += encoded.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Ensure(int count)
    {
        if (bytes.Length - Length < count)
            Grow(count);
    }

    private void Grow(int count) => Array.Resize(ref bytes, Math.Max(bytes.Length * 2, Length + count));
}
