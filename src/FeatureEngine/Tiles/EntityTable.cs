using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>The entities' blocks by dense id, in native chunks that never move. Not thread-safe.</summary>
internal sealed unsafe class EntityTable(EntityLayout layout) : IDisposable
{
    private const int ChunkBits = 8;
    private const int EntitiesPerChunk = 1 << ChunkBits;
    private const int MostChunksPerSlab = 256;
    private const int LineWords = 8;

    private readonly List<nint> slabs = [];
    private nint* chunks;
    private int chunkCount;
    private long* next;
    private int chunksLeft;

    public long MemoryBytes => (long)chunkCount * EntitiesPerChunk * layout.Words * 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long* Entity(int id) => (long*)chunks[id >> ChunkBits] + ((long)(id & (EntitiesPerChunk - 1)) * layout.Words);

    /// <summary>Asks for what every event reads of its entity: the first line, and the one where the finest open tile is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int id)
    {
        var entity = Entity(id);
        Sse.Prefetch0(entity);
        Sse.Prefetch0(entity + LineWords);
    }

    /// <summary>Makes sure that ids below <paramref name="count"/> have a block; new ones are empty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Reach(int count)
    {
        while (count > chunkCount << ChunkBits)
            AddChunk();
    }

    public void Dispose()
    {
        foreach (var slab in slabs)
            NativeSlab.Free((void*)slab);
        slabs.Clear();
        NativeMemory.Free(chunks);
        chunks = null;
        chunkCount = 0;
    }

    private void AddChunk()
    {
        if (chunksLeft == 0)
            AddSlab();
        var chunk = next;
        next += EntitiesPerChunk * layout.Words;
        chunksLeft--;
        new Span<long>(chunk, EntitiesPerChunk * layout.Words).Clear();
        for (var i = 0; i < EntitiesPerChunk; i++)
        {
            var entity = chunk + (i * layout.Words);
            entity[EntityLayout.NewestWord] = long.MinValue;
            entity[EntityLayout.LastOffsetWord] = -1;
        }

        chunks = (nint*)NativeMemory.Realloc(chunks, (nuint)((chunkCount + 1) * sizeof(nint)));
        chunks[chunkCount++] = (nint)chunk;
    }

    // As large as all before, so that few entities take little memory and many lie in few huge pages.
    private void AddSlab()
    {
        chunksLeft = Math.Clamp(chunkCount, 1, MostChunksPerSlab);
        next = (long*)NativeSlab.Allocate((long)chunksLeft * EntitiesPerChunk * layout.Words * 8);
        slabs.Add((nint)next);
    }
}
