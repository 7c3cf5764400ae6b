using System.Numerics;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// Native blocks of a power of two of tiles, one free list per level and power; a free block's first word names the next. Freed blocks are
/// reused, and all go with the pool. Not thread-safe.
/// </summary>
internal sealed unsafe class TilePool(int levels) : IDisposable
{
    private const int FirstSlabWords = 1 << 11;
    private const int LargestSlabWords = 1 << 19;
    private const int Powers = 32;

    private readonly List<nint> slabs = [];
    private readonly nint[] free = new nint[levels * Powers];
    private long* slab;
    private long slabLeft;

    public long MemoryBytes { get; private set; }

    /// <summary>A block with undefined content.</summary>
    public long* Rent(int level, long tiles, int tileWords)
    {
        ref var head = ref free[(level * Powers) + BitOperations.Log2((ulong)tiles)];
        if (head != 0)
        {
            var block = (long*)head;
            head = (nint)block[0];
            return block;
        }

        var words = tiles * tileWords;
        if (words > LargestSlabWords / 4)
            return Allocate(words);
        if (words > slabLeft)
            AddSlab(words);
        var rented = slab;
        slab += words;
        slabLeft -= words;
        return rented;
    }

    public void Return(int level, long tiles, long* block)
    {
        ref var head = ref free[(level * Powers) + BitOperations.Log2((ulong)tiles)];
        block[0] = head;
        head = (nint)block;
    }

    public void Dispose()
    {
        foreach (var block in slabs)
            NativeSlab.Free((void*)block);
        slabs.Clear();
        free.AsSpan().Clear();
        slabLeft = 0;
        MemoryBytes = 0;
    }

    // A view with one entity, as a backfill has it, should not pay for a large slab.
    private void AddSlab(long words)
    {
        slabLeft = Math.Max(words, Math.Min(LargestSlabWords, (long)FirstSlabWords << Math.Min(slabs.Count, 16)));
        slab = Allocate(slabLeft);
    }

    private long* Allocate(long words)
    {
        var block = (long*)NativeSlab.Allocate(words * 8);
        slabs.Add((nint)block);
        MemoryBytes += words * 8;
        return block;
    }
}
