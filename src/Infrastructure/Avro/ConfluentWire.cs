using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace StreamMl.Infrastructure.Avro;

/// <summary>Confluent's wire format: byte 0, the schema's id (int32 big-endian), the Avro body. Pure; thread-safe.</summary>
public static class ConfluentWire
{
    public const byte Magic = 0;

    /// <summary>Bytes before the body.</summary>
    public const int HeaderLength = 5;

    /// <summary>False where the value is shorter than the header or does not start with byte 0; then <paramref name="body"/> is empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadSchemaId(ReadOnlySpan<byte> value, out int schemaId, out ReadOnlySpan<byte> body)
    {
        if (value.Length < HeaderLength || value[0] != Magic)
        {
            schemaId = 0;
            body = default;
            return false;
        }

        schemaId = BinaryPrimitives.ReadInt32BigEndian(value[1..]);
        body = value[HeaderLength..];
        return true;
    }

    /// <summary>Why <see cref="TryReadSchemaId"/> refused the value.</summary>
    public static string Explain(ReadOnlySpan<byte> value) => value.Length < HeaderLength
        ? $"the value has {value.Length} bytes, Confluent's wire format starts with {HeaderLength} (byte 0 and the schema id); produce it with a schema registry serializer"
        : $"the value starts with byte {value[0]}, Confluent's wire format with 0; produce it with a schema registry serializer";

    public static void WriteHeader(Span<byte> to, int schemaId)
    {
        to[0] = Magic;
        BinaryPrimitives.WriteInt32BigEndian(to[1..], schemaId);
    }
}
