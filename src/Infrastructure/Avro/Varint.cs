using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Avro's zig-zag varints of up to 10 bytes, from pinned memory. Nothing at or behind <c>end</c> is read. Overlong encodings of small numbers are
/// accepted, as Avro's own readers do. On false the position stays, and <see cref="ErrorAt"/> says why.
/// </summary>
internal static unsafe class Varint
{
    /// <summary>Longest encoding of a long.</summary>
    public const int MaxLength = 10;

    private const ulong ContinuationBits = 0x8080_8080_8080_8080;

    /// <summary>For values that are mostly one byte: lengths, branches, symbols.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(ref byte* at, byte* end, out long value)
    {
        if (at < end && *at < 0x80)
        {
            value = ZigZag(*at++);
            return true;
        }

        var slow = ReadBytes(at, end);
        at += slow.Length;
        value = slow.Value;
        return slow.Length > 0;
    }

    /// <summary>A length: as <see cref="TryRead"/>, but the common case (0 to 63) is only shifted: the next field's position waits for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadLength(ref byte* at, byte* end, out long value)
    {
        if (at < end && (*at & 0x81) == 0)
        {
            value = (uint)*at >> 1;
            at++;
            return true;
        }

        var slow = ReadBytes(at, end);
        at += slow.Length;
        value = slow.Value;
        return slow.Length > 0;
    }

    /// <summary>As <see cref="TryRead"/>, for values of any length: up to 10 bytes from one load.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadWide(ref byte* at, byte* end, out long value)
    {
        if (end - at >= MaxLength)
        {
            var word = Unsafe.ReadUnaligned<ulong>(at);
            if ((word & 0x80) == 0)
            {
                value = ZigZag(word & 0x7f);
                at++;
                return true;
            }

            var stop = ~word & ContinuationBits;
            if (stop != 0)
            {
                // Up to and including the last byte; then the 7-bit groups are moved together, pairs first.
                at += ((uint)BitOperations.TrailingZeroCount(stop) >> 3) + 1;
                value = ZigZag(Compact(word & (stop ^ (stop - 1))));
                return true;
            }

            if (at[8] < 0x80)
            {
                value = ZigZag(Compact(word) | ((ulong)at[8] << 56));
                at += 9;
                return true;
            }
        }

        var slow = ReadBytes(at, end);
        at += slow.Length;
        value = slow.Value;
        return slow.Length > 0;
    }

    /// <summary>Why there is no number at <paramref name="at"/>.</summary>
    public static DecodeError ErrorAt(byte* at, byte* end) => end - at >= MaxLength ? DecodeError.LongVarint : DecodeError.Truncated;

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

    /// <summary>As <see cref="Write(Span{byte}, long)"/>, without looking at the room; it may touch all <see cref="MaxLength"/> bytes.</summary>
    public static int Write(ref byte to, long value)
    {
        const int bitsOfOneStore = 56;
        var raw = (ulong)((value << 1) ^ (value >> 63));
        if (raw >> bitsOfOneStore != 0)
            return Write(MemoryMarshal.CreateSpan(ref to, MaxLength), value);
        // The 7-bit groups are moved apart, halves first; then every byte but the last gets its continuation bit.
        var word = (raw & 0x0fff_ffff) | ((raw & 0x00ff_ffff_f000_0000) << 4);
        word = (word & 0x0000_3fff_0000_3fff) | ((word & 0x0fff_c000_0fff_c000) << 2);
        word = (word & 0x007f_007f_007f_007f) | ((word & 0x3f80_3f80_3f80_3f80) << 1);
        var length = (70 - BitOperations.LeadingZeroCount(raw | 1)) / 7;
        word |= ContinuationBits & ((1UL << (8 * (length - 1))) - 1);
        Unsafe.WriteUnaligned(ref to, BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word));
        return length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long ZigZag(ulong raw) => (long)(raw >> 1) ^ -(long)(raw & 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Compact(ulong word)
    {
        // PEXT is microcode on AMD before Zen 3; every processor with AVX-512 has a fast one.
        if (Bmi2.X64.IsSupported && Avx512F.IsSupported)
            return Bmi2.X64.ParallelBitExtract(word, ~ContinuationBits);
        word = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
        word = (word & 0x0000_3fff_0000_3fff) | ((word & 0x3fff_0000_3fff_0000) >> 2);
        return (word & 0x0000_0000_0fff_ffff) | ((word & 0x0fff_ffff_0000_0000) >> 4);
    }

    // Returned by value, in two registers: an out parameter would force the caller's position into memory.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (long Value, nint Length) ReadBytes(byte* at, byte* end)
    {
        var raw = 0UL;
        for (var i = 0; i < MaxLength && at + i < end; i++)
        {
            ulong b = at[i];
            if (i == MaxLength - 1 && b > 1)
                break;
            raw |= (b & 0x7f) << (7 * i);
            if (b < 0x80)
                return (ZigZag(raw), i + 1);
        }

        return (0, 0);
    }
}
