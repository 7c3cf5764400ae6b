namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// Native blocks of tiles in size classes, two to a power of two; one free list per class and tile size, and a free block's first word names
/// the next. Freed blocks are reused, and all go with the pool. Not thread-safe.
/// </summary>
internal sealed unsafe class TilePool(int mostTileWords) : IDisposable
{
    /// <summary>The largest class is that of 8,192 tiles, twice what a view may keep on one hop.</summary>
    public const int Classes = 25;

    private const int FirstSlabWords = 1 << 11;
    private const int LargestSlabWords = 1 << 19;

    private readonly List<nint> slabs = [];
    private readonly nint[] free = new nint[(mostTileWords + 1) * Classes];
    private long* slab;
    private long slabLeft;

    public long MemoryBytes { get; private set; }

    /// <summary>Tiles of a size class: 2, 3, 4, 6, 8, 12 …</summary>
    public static int Capacity(int sizeClass) => (2 | (sizeClass & 1)) << (sizeClass >> 1);

    /// <summary>A block with undefined content, aligned to 16 bytes.</summary>
    public long* Rent(int sizeClass, int tileWords)
    {
        if (sizeClass >= Classes)
            throw new InvalidOperationException($"an entity would keep more than {Capacity(Classes - 1)} tiles of one hop: use a longer hop, a shorter window or less lateness");
        ref var head = ref free[(tileWords * Classes) + sizeClass];
        if (head != 0)
        {
            var block = (long*)head;
            head = (nint)block[0];
            return block;
        }

        var words = (((long)Capacity(sizeClass) * tileWords) + 1) & ~1L;
        if (words > LargestSlabWords / 4)
            return Allocate(words);
        if (words > slabLeft)
            AddSlab(words);
        var rented = slab;
        slab += words;
        slabLeft -= words;
        return rented;
    }

    public void Return(long* block, int sizeClass, int tileWords)
    {
        ref var head = ref free[(tileWords * Classes) + sizeClass];
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
