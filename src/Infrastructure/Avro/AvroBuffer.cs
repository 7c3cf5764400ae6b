using System.Buffers.Binary;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Avro's binary values one after the other, for a writer that knows its schema; reused, so that writing allocates nothing in steady state. Not thread-safe.
/// </summary>
public sealed class AvroBuffer
{
    private readonly ByteScratch bytes = new();

    public int Length => bytes.Length;

    public ReadOnlySpan<byte> Written => bytes.Slice(0, bytes.Length);

    public void Clear() => bytes.Clear();

    /// <summary>Confluent's wire header.</summary>
    public void Header(int schemaId) => ConfluentWire.WriteHeader(bytes.Reserve(ConfluentWire.HeaderLength), schemaId);

    /// <summary>An int, a long, a timestamp, a union's branch, an array's count.</summary>
    public void Long(long value) => bytes.AppendVarint(value);

    public void Boolean(bool value) => bytes.AppendByte(value ? (byte)1 : (byte)0);

    public void Double(double value) => BinaryPrimitives.WriteDoubleLittleEndian(bytes.Reserve(8), value);

    /// <summary>A string, given as UTF-8.</summary>
    public void Text(ReadOnlySpan<byte> utf8)
    {
        bytes.AppendVarint(utf8.Length);
        bytes.Append(utf8);
    }

    /// <summary>Bytes that are encoded already.</summary>
    public void Raw(ReadOnlySpan<byte> encoded) => bytes.Append(encoded);
}
