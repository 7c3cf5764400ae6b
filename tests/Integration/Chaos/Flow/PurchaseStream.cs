using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace StreamMl.Integration.Tests.Chaos.Flow;

/// <summary>A record of the source topic.</summary>
/// <param name="IsBad">It belongs into the dead-letter topic: undecodable, or from the future.</param>
internal readonly record struct PurchaseRecord(byte[] Key, byte[] Value, long ArrivalUs, bool IsBad);

/// <summary>The i-th record of a seed, whenever it is asked for. Two days of purchases, however many they are; some late, repeated, null, undecodable, from the future. Pure.</summary>
internal sealed class PurchaseStream(ChaosOptions options, int schemaId)
{
    private const long FirstUs = 1_767_225_600_000_000; // 2026-01-01
    private const long SpanUs = 2L * 24 * 3600 * 1_000_000;
    private const long MinuteUs = 60_000_000;

    /// <summary>Of a thousand, so many repeat the record before them.</summary>
    private const int Repeats = 10;

    public static long LastUs => FirstUs + SpanUs;

    public static string User(int user) => string.Create(CultureInfo.InvariantCulture, $"u{user:D5}");

    public static string Shop(int shop) => string.Create(CultureInfo.InvariantCulture, $"s{shop:D4}");

    // Whole milliseconds: that is what Kafka keeps.
    private long StepUs => SpanUs / options.Events / 1000 * 1000;

    public PurchaseRecord this[int index]
    {
        get
        {
            var origin = index;
            while (origin > 0 && Draw(origin, 0, 1000) < Repeats)
                origin--;
            return Make(origin) with { ArrivalUs = ArrivalOf(index) };
        }
    }

    /// <summary>Which record arrived then.</summary>
    public int IndexOf(long arrivalUs) => (int)((arrivalUs - FirstUs) / StepUs);

    private long ArrivalOf(int index) => FirstUs + (StepUs * index);

    private PurchaseRecord Make(int index)
    {
        var arrivalUs = ArrivalOf(index);
        var kind = Draw(index, 1, 1000);
        var user = User((int)Skewed(index, options.Users));
        var shop = Draw(index, 3, 100) < 5 ? null : Shop((int)Draw(index, 4, (ulong)options.Shops));
        double? amount = Draw(index, 5, 100) < 5 ? null : Draw(index, 6, 10_000) / 100.0;
        var lateUs = kind switch
        {
            < 10 => (long)(Draw(index, 7, 60) + 60) * -MinuteUs, // the future
            < 20 => (long)(Draw(index, 7, 3_000) + 1_000) * MinuteUs, // beyond some or all windows
            < 120 => (long)Draw(index, 7, 20) * MinuteUs,
            _ => (long)Draw(index, 7, 2_000) * 1_000,
        };
        var value = Encode(user, arrivalUs - lateUs, shop, amount);
        if (kind is >= 990 and < 995)
            value = [0, 0, 0, 0xff, 0xff, 1, 2]; // of a schema that nobody registered
        else if (kind >= 995)
            value = value[..9]; // torn
        return new PurchaseRecord(Encoding.UTF8.GetBytes(user), value, arrivalUs, kind is < 10 or >= 990);
    }

    /// <summary>A tenth of the users have half of the events.</summary>
    private ulong Skewed(int index, int users) => Draw(index, 8, 2) == 0 ? Draw(index, 2, (ulong)Math.Max(1, users / 10)) : Draw(index, 2, (ulong)users);

    private ulong Draw(int index, int what, ulong below)
    {
        var z = options.Seed + ((((ulong)(uint)index * 16) + (ulong)what + 1) * 0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return (z ^ (z >> 31)) % below;
    }

    private byte[] Encode(string user, long atUs, string? shop, double? amount)
    {
        var bytes = new List<byte>(64) { 0 };
        Span<byte> raw = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(raw, schemaId);
        bytes.AddRange(raw[..4]);
        Text(bytes, user);
        Long(bytes, atUs);
        Long(bytes, shop is null ? 0 : 1);
        if (shop is not null)
            Text(bytes, shop);
        Long(bytes, amount is null ? 0 : 1);
        if (amount is not null)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(raw, amount.Value);
            bytes.AddRange(raw);
        }

        return [.. bytes];
    }

    private static void Text(List<byte> to, string text)
    {
        Long(to, text.Length);
        to.AddRange(Encoding.ASCII.GetBytes(text));
    }

    private static void Long(List<byte> to, long value)
    {
        var zigzag = (ulong)((value << 1) ^ (value >> 63));
        for (; zigzag >= 0x80; zigzag >>= 7)
            to.Add((byte)(zigzag | 0x80));
        to.Add((byte)zigzag);
    }
}
