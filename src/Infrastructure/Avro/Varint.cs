using System.Numerics;
using System.Runtime.CompilerServices;

namespace StreamMl.Infrastructure.Avro;

/// <summary>Avro's zig-zag varints of up to 10 bytes. Callers keep <c>at &lt;= end</c>, where [0, end) is readable from the source.</summary>
internal static class Varint
{
    /// <summary>Longest encoding of a long.</summary>
    public const int MaxLength = 10;

    private const ulong ContinuationBits = 0x8080_8080_8080_8080;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ZigZag(ulong raw) => (long)(raw >> 1) ^ -(long)(raw & 1);

    /// <summary>Reads one value and moves <paramref name="at"/> behind it; on an error <paramref name="at"/> stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeError TryRead(ref byte source, ref nint at, nint end, out long value)
    {
        if (at < end && Unsafe.Add(ref source, at) < 0x80)
        {
            value = ZigZag(Unsafe.Add(ref source, at++));
            return DecodeError.None;
        }

        var error = ReadBytes(ref source, at, end, out value, out var next);
        at = next;
        return error;
    }

    /// <summary>As <see cref="TryRead"/>, for values that tend to be long: up to 10 bytes from one load where the source is long enough.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodeError TryReadWide(ref byte source, ref nint at, nint end, out long value)
    {
        if (end - at < MaxLength)
            return TryRead(ref source, ref at, end, out value);
        var word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
        if ((word & 0x80) == 0)
        {
            value = ZigZag(word & 0x7f);
            at++;
            return DecodeError.None;
        }

        var stop = ~word & ContinuationBits;
        if (stop != 0)
        {
            // Up to and including the last byte; then the 7-bit groups are moved together, pairs first.
            at += (BitOperations.TrailingZeroCount(stop) >> 3) + 1;
            value = ZigZag(Compact(word & (stop ^ (stop - 1))));
            return DecodeError.None;
        }

        ulong ninth = Unsafe.Add(ref source, at + 8);
        if (ninth < 0x80)
        {
            at += 9;
            value = ZigZag(Compact(word) | (ninth << 56));
            return DecodeError.None;
        }

        ulong tenth = Unsafe.Add(ref source, at + 9);
        value = ZigZag(Compact(word) | ((ninth & 0x7f) << 56) | (tenth << 63));
        if (tenth > 1)
            return DecodeError.LongVarint;
        at += MaxLength;
        return DecodeError.None;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Compact(ulong word)
    {
        word = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
        word = (word & 0x0000_3fff_0000_3fff) | ((word & 0x3fff_0000_3fff_0000) >> 2);
        return (word & 0x0000_0000_0fff_ffff) | ((word & 0x0fff_ffff_0000_0000) >> 4);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodeError ReadBytes(ref byte source, nint at, nint end, out long value, out nint next)
    {
        next = at;
        value = 0;
        var raw = 0UL;
        for (var i = 0; i < MaxLength; i++)
        {
            if (at + i >= end)
                return DecodeError.Truncated;
            ulong b = Unsafe.Add(ref source, at + i);
            if (i == MaxLength - 1 && b > 1)
                return DecodeError.LongVarint;
            raw |= (b & 0x7f) << (7 * i);
            if (b < 0x80)
            {
                value = ZigZag(raw);
                next = at + i + 1;
                return DecodeError.None;
            }
        }

        return DecodeError.LongVarint;
    }

    /// <summary>Writes the value and returns its length; <paramref name="to"/> has room for <see cref="MaxLength"/> bytes.</summary>
    public static int Write(Span<byte> to, long value)
    {
        var raw = (ulong)((value << 1) ^ (value >> 63));
        var length = 0;
        for (; raw >= 0x80; raw >>= 7)
            to[length++] = (byte)(raw | 0x80);
        to[length++] = (byte)raw;
        return length;
    }
}
