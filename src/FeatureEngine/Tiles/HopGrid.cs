using System.Numerics;
using System.Runtime.CompilerServices;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// <see cref="TimeGrid.Floor"/> for one hop, without dividing: the quotient is the upper half of a product with a reciprocal (Granlund and
/// Montgomery 1994), exact for every time from 0 up. Hop 0 is the lifetime, whose one tile starts at 0. Pure; thread-safe.
/// </summary>
internal readonly struct HopGrid
{
    private readonly ulong reciprocal;
    private readonly int shift;

    public HopGrid(long hopUs)
    {
        HopUs = hopUs;
        if (hopUs <= 1)
            return;
        var bits = 64 - BitOperations.LeadingZeroCount((ulong)hopUs - 1);
        reciprocal = (ulong)((UInt128.One << (63 + bits)) / (ulong)hopUs) + 1;
        shift = bits - 1;
    }

    public long HopUs { get; }

    /// <summary>Start of the tile that holds the time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Floor(long timeUs)
    {
        if (HopUs == 0)
            return 0;
        if (timeUs < 0 || HopUs == 1)
            return TimeGrid.Floor(timeUs, HopUs);
        return (long)(Math.BigMul((ulong)timeUs, reciprocal, out _) >> shift) * HopUs;
    }
}
