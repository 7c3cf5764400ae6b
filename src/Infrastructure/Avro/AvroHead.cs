using System.Text;

namespace StreamMl.Infrastructure.Avro;

/// <summary>Reads the first values of an Avro body whose first types are known, without its schema.</summary>
public ref struct AvroHead(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> body = body;
    private int at;

    /// <exception cref="InvalidDataException">There is no text.</exception>
    public string Text()
    {
        var length = Long();
        if (length < 0 || length > body.Length - at)
            throw new InvalidDataException($"a text of {length} bytes at byte {at} of {body.Length}: the bytes are of another schema");
        at += (int)length;
        return Encoding.UTF8.GetString(body.Slice(at - (int)length, (int)length));
    }

    /// <exception cref="InvalidDataException">There is no number.</exception>
    public unsafe long Long()
    {
        fixed (byte* start = body)
        {
            var next = start + at;
            if (!Varint.TryRead(ref next, start + body.Length, out var value))
                throw new InvalidDataException($"no number at byte {at} of {body.Length}: the bytes are of another schema");
            at = (int)(next - start);
            return value;
        }
    }
}
