using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Avro's binary values one after the other, for a writer that knows its schema; reused, so that writing allocates nothing in steady state. Not thread-safe.
/// </summary>
public sealed class AvroBuffer
{
    private byte[] bytes = new byte[1024];
    private int length;

    public int Length => length;

    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, length);

    /// <summary>What was written; valid until the next write.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(0, length);

    public void Clear() => length = 0;

    /// <summary>Confluent's wire header.</summary>
    public void Header(int schemaId)
    {
        Ensure(ConfluentWire.HeaderLength);
        ConfluentWire.WriteHeader(bytes.AsSpan(length), schemaId);
        length += ConfluentWire.HeaderLength;
    }

    /// <summary>An int, a long, a timestamp, a union's branch, an array's count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Long(long value)
    {
        Ensure(Varint.MaxLength);
        if ((ulong)(value + 64) < 128)
            At(length++) = (byte)((value << 1) ^ (value >> 63));
        else
            length += Varint.Write(ref At(length), value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Boolean(bool value)
    {
        Ensure(1);
        At(length++) = value ? (byte)1 : (byte)0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Double(double value)
    {
        Ensure(sizeof(double));
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(length), value);
        length += sizeof(double);
    }

    /// <summary>A union of null and double: its branch, then the double, given as its bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void NullableDouble(bool isThere, long bits)
    {
        const byte second = 2;
        Ensure(1 + sizeof(double));
        ref var at = ref At(length);
        at = isThere ? second : (byte)0;
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref at, 1), BitConverter.IsLittleEndian ? bits : BinaryPrimitives.ReverseEndianness(bits));
        length += isThere ? 1 + sizeof(double) : 1;
    }

    /// <summary>A string, given as UTF-8.</summary>
    public void Text(ReadOnlySpan<byte> utf8)
    {
        Long(utf8.Length);
        Raw(utf8);
    }

    /// <summary>Bytes that are encoded already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Raw(ReadOnlySpan<byte> encoded)
    {
        Ensure(encoded.Length);
        encoded.CopyTo(MemoryMarshal.CreateSpan(ref At(length), encoded.Length));
        length += encoded.Length;
    }

    // Every write has made sure of its room.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte At(int index) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(bytes), index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Ensure(int count)
    {
        if (bytes.Length - length < count)
            Grow(count);
    }

    private void Grow(int count) => Array.Resize(ref bytes, Math.Max(bytes.Length * 2, length + count));
}
