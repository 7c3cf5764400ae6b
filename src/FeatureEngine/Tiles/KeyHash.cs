using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// The hash of an entity key, in this process only: it is never stored. Short keys, which nearly all are, take two overlapping loads and
/// two wide multiplications (as wyhash does); longer ones are left to XxHash3. Pure.
/// </summary>
internal static class KeyHash
{
    private const ulong Secret0 = 0xA076_1D64_78BD_642F;
    private const ulong Secret1 = 0xE703_7ED1_A0B4_28DB;
    private const int ShortBytes = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ReadOnlySpan<byte> key)
    {
        ref var start = ref MemoryMarshal.GetReference(key);
        if (key.Length is >= 8 and <= ShortBytes)
            return Mix(Unsafe.ReadUnaligned<ulong>(ref start), Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, key.Length - 8)), key.Length);
        if (key.Length is >= 4 and < 8)
            return Mix(Unsafe.ReadUnaligned<uint>(ref start), Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, key.Length - 4)), key.Length);
        return Other(key);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Other(ReadOnlySpan<byte> key) => key.Length switch
    {
        0 => Mix(0, 0, 0),
        < 4 => Mix(key[0], (ulong)((key[key.Length / 2] << 8) | key[^1]), key.Length),
        _ => XxHash3.HashToUInt64(key),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong a, ulong b, int length) => Fold(Fold(a ^ Secret0, b ^ Secret1) ^ (ulong)length, Secret1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}
