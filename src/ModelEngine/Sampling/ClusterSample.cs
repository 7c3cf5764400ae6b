using System.IO.Hashing;

namespace StreamMl.ModelEngine.Sampling;

/// <summary>
/// Entities in or out as a whole, decided by a hash of the entity's key: all its rows, in every file and every run, without a list of entities. About
/// <paramref name="share"/> of the entities are in; a greater share with the same seed holds a smaller one. Immutable; thread-safe.
/// </summary>
/// <param name="share">More than 0, at most 1.</param>
public sealed class ClusterSample(double share, long seed)
{
    private readonly double share = share > 0 && share <= 1 ? share : throw new ArgumentOutOfRangeException(nameof(share), share, "a share must be more than 0 and at most 1");

    /// <summary>Whether the entity with that key (UTF-8) is in.</summary>
    public bool Contains(ReadOnlySpan<byte> key) => Unit(XxHash64.HashToUInt64(key, seed)) < share;

    /// <summary>Whether the entity with that number is in.</summary>
    public bool Contains(long key) => SeededRandom.MixToUnit((ulong)seed, (ulong)key) < share;

    private static double Unit(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));
}
