namespace StreamMl.ModelEngine.Sampling;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): the same numbers from the same seed on every machine and in every
/// version of the runtime, which System.Random does not promise. A mutable struct: pass it by reference. Not for secrets.
/// </summary>
/// <param name="seed">Any number.</param>
public struct SeededRandom(long seed)
{
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;

    private ulong state = (ulong)seed;

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        state += Step;
        return Finish(state);
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, <paramref name="below"/>), which is at least 1; without bias (Lemire 2019).</summary>
    public int Next(int below)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(below);
        while (true)
        {
            var product = (NextBits() >> 32) * (ulong)below;
            if ((uint)product >= (uint)below || (uint)product >= (uint)(-below) % (uint)below)
                return (int)(product >> 32);
        }
    }

    /// <summary>64 bits that depend on the seed and a number alone: a decision per row or entity that needs no order.</summary>
    public static ulong Mix(ulong seed, ulong value) => Finish(Finish(seed + Step) ^ (value + Step));

    /// <summary>Such a decision as a number uniform in [0, 1).</summary>
    public static double MixToUnit(ulong seed, ulong value) => (Mix(seed, value) >> 11) * (1.0 / (1UL << 53));

    private static ulong Finish(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
