using System.Runtime.InteropServices;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>Native blocks of 8-byte words, one free list per size. Freed blocks are reused, and all go with the pool. Not thread-safe.</summary>
internal sealed unsafe class TilePool : IDisposable
{
    private const int SlabWords = 1 << 15;

    private readonly List<nint> slabs = [];
    private readonly Dictionary<int, Stack<nint>> free = [];
    private long* slab;
    private int slabLeft;

    public long MemoryBytes { get; private set; }

    /// <summary>A block with undefined content.</summary>
    public long* Rent(int words)
    {
        if (free.TryGetValue(words, out var blocks) && blocks.TryPop(out var block))
            return (long*)block;
        if (words > SlabWords / 4)
            return Allocate(words);
        if (words > slabLeft)
        {
            slab = Allocate(SlabWords);
            slabLeft = SlabWords;
        }

        var rented = slab;
        slab += words;
        slabLeft -= words;
        return rented;
    }

    public void Return(long* block, int words)
    {
        if (!free.TryGetValue(words, out var blocks))
            free[words] = blocks = new Stack<nint>();
        blocks.Push((nint)block);
    }

    public void Dispose()
    {
        foreach (var block in slabs)
            NativeMemory.AlignedFree((void*)block);
        slabs.Clear();
        free.Clear();
        slabLeft = 0;
        MemoryBytes = 0;
    }

    private long* Allocate(int words)
    {
        var block = (long*)NativeMemory.AlignedAlloc((nuint)words * 8, 64);
        slabs.Add((nint)block);
        MemoryBytes += (long)words * 8;
        return block;
    }
}
