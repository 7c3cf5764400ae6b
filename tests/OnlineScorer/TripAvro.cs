using System.Buffers.Binary;
using System.Text;

namespace StreamMl.OnlineScorer.Tests;

/// <summary>Trips in Confluent's wire format, written by hand.</summary>
internal static class TripAvro
{
    public static byte[] Encode(int schemaId, string origin, string? dest, long number, long atUs, double value = 1.5)
    {
        var header = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(1), schemaId);
        var bytes = new List<byte>(header);
        Long(bytes, atUs);
        Text(bytes, origin);
        Long(bytes, dest is null ? 0 : 1);
        if (dest is not null)
            Text(bytes, dest);
        Long(bytes, number);
        Long(bytes, 1);
        var delay = new byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(delay, value);
        bytes.AddRange(delay);
        return [.. bytes];
    }

    private static void Text(List<byte> to, string text)
    {
        Long(to, Encoding.UTF8.GetByteCount(text));
        to.AddRange(Encoding.UTF8.GetBytes(text));
    }

    private static void Long(List<byte> to, long value)
    {
        var zigzag = (ulong)((value << 1) ^ (value >> 63));
        for (; zigzag >= 0x80; zigzag >>= 7)
            to.Add((byte)(zigzag | 0x80));
        to.Add((byte)zigzag);
    }
}
