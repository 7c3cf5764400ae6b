using System.Buffers.Binary;
using System.Text;

namespace StreamMl.StreamFeatures.Tests.Lab;

/// <summary>One event, encoded by hand: the tests' own idea of Avro.</summary>
internal sealed record Landing(string Tail, long AtUs, string? Origin, double? Delay)
{
    public const int SchemaId = 7;

    public byte[] Key => Encoding.UTF8.GetBytes(Tail);

    public byte[] Encode()
    {
        var bytes = new List<byte> { 0, 0, 0, 0, SchemaId };
        Text(bytes, Tail);
        Long(bytes, AtUs);
        Long(bytes, Origin is null ? 0 : 1);
        if (Origin is not null)
            Text(bytes, Origin);
        Long(bytes, Delay is null ? 0 : 1);
        if (Delay is { } delay)
        {
            var raw = new byte[8];
            BinaryPrimitives.WriteDoubleLittleEndian(raw, delay);
            bytes.AddRange(raw);
        }

        return [.. bytes];
    }

    private static void Text(List<byte> to, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Long(to, utf8.Length);
        to.AddRange(utf8);
    }

    private static void Long(List<byte> to, long value)
    {
        var zigzag = (ulong)((value << 1) ^ (value >> 63));
        for (; zigzag >= 0x80; zigzag >>= 7)
            to.Add((byte)(zigzag | 0x80));
        to.Add((byte)zigzag);
    }
}
