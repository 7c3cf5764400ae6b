namespace StreamMl.ModelEngine.Sampling;

/// <summary>
/// A uniform sample of a stream of unknown length, in bounded memory (J. Vitter, "Random sampling with a reservoir", 1985, algorithm R): all values as long as
/// they fit, then each that ever came with the same chance. Not thread-safe.
/// </summary>
/// <param name="capacity">Most values kept; at least 1.</param>
public sealed class Reservoir<T>(int capacity, long seed)
{
    private readonly List<T> kept = [];
    private readonly int capacity = capacity >= 1 ? capacity : throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "a reservoir holds at least one value");
    private SeededRandom random = new(seed);

    /// <summary>Values that came.</summary>
    public long Seen { get; private set; }

    /// <summary>Values kept, in no particular order.</summary>
    public IReadOnlyList<T> Kept => kept;

    /// <summary>Whether every value that came is kept.</summary>
    public bool IsComplete => Seen <= capacity;

    public void Add(T value)
    {
        Seen++;
        if (kept.Count < capacity)
        {
            kept.Add(value);
            return;
        }

        var place = Math.BigMul(random.NextBits(), (ulong)Seen, out _);
        if (place < (ulong)capacity)
            kept[(int)place] = value;
    }
}
