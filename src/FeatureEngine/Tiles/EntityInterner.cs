using System.IO.Hashing;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>Gives every entity key a dense id, 0, 1, 2 … Open addressing over a mixed hash; keys lie in chunks that never move. Not thread-safe while keys are added; then finding is.</summary>
public sealed class EntityInterner
{
    private const int ChunkBytes = 1 << 20;

    private readonly List<byte[]> chunks = [];
    private (int Chunk, int Start, int Length)[] entries = new (int, int, int)[64];
    private ulong[] slots = new ulong[128]; // high half: hash, low half: id + 1; 0: free
    private int chunkUsed = ChunkBytes;

    public int Count { get; private set; }

    public long MemoryBytes => ((long)chunks.Count * ChunkBytes) + (entries.Length * 12L) + (slots.Length * 8L);

    public ReadOnlySpan<byte> KeyOf(int id)
    {
        var (chunk, start, length) = entries[id];
        return chunks[chunk].AsSpan(start, length);
    }

    public bool TryFind(ReadOnlySpan<byte> key, out int id)
    {
        id = (int)(uint)slots[SlotOf(key, Hash(key))] - 1;
        return id >= 0;
    }

    public int Intern(ReadOnlySpan<byte> key)
    {
        var hash = Hash(key);
        var slot = SlotOf(key, hash);
        var found = (int)(uint)slots[slot] - 1;
        if (found >= 0)
            return found;
        var id = Count++;
        if (id == entries.Length)
            Array.Resize(ref entries, entries.Length * 2);
        entries[id] = Store(key);
        slots[slot] = (hash << 32) | (uint)(id + 1);
        if (Count * 2 > slots.Length)
            Grow();
        return id;
    }

    // The upper half goes into the slot, the lower half chooses it, so that neighbours in the table differ in the half that is compared.
    private static ulong Hash(ReadOnlySpan<byte> key) => XxHash3.HashToUInt64(key);

    private int SlotOf(ReadOnlySpan<byte> key, ulong hash)
    {
        var mask = slots.Length - 1;
        for (var i = (int)(hash >> 32) & mask; ; i = (i + 1) & mask)
        {
            var slot = slots[i];
            if (slot == 0 || ((uint)(slot >> 32) == (uint)hash && KeyOf((int)(uint)slot - 1).SequenceEqual(key)))
                return i;
        }
    }

    private (int Chunk, int Start, int Length) Store(ReadOnlySpan<byte> key)
    {
        if (chunks.Count == 0 || chunkUsed + key.Length > ChunkBytes) // the global entity's empty key fits anywhere, but needs a chunk
        {
            chunks.Add(new byte[Math.Max(ChunkBytes, key.Length)]);
            chunkUsed = 0;
        }

        var start = chunkUsed;
        key.CopyTo(chunks[^1].AsSpan(start));
        chunkUsed += key.Length;
        return (chunks.Count - 1, start, key.Length);
    }

    private void Grow()
    {
        slots = new ulong[slots.Length * 2];
        for (var id = 0; id < Count; id++)
        {
            var hash = Hash(KeyOf(id));
            slots[SlotOf(KeyOf(id), hash)] = (hash << 32) | (uint)(id + 1);
        }
    }
}
