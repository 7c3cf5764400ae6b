using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// Gives every entity key a dense id, 0, 1, 2 … Open addressing at most half full; slots and keys lie in pinned memory, so that a look-up is
/// one slot and one key, both of which a batch can prefetch. Not thread-safe while keys are added; then finding is.
/// </summary>
public sealed unsafe class EntityInterner
{
    private const int BatchRows = 64;
    private const int FirstSlots = 128;
    private const int LineBytes = 64;

    private readonly KeyStore keys = new();
    private Slot[] table = [];
    private Slot* slots; // the table, from its first whole cache line on
    private int mask;
    private byte*[] keyById = new byte*[FirstSlots / 2];

    /// <summary>One place of the table. <see cref="Key"/> is null where it is free.</summary>
    private struct Slot
    {
        public uint Hash;
        public int Id;
        public byte* Key;
    }

    public EntityInterner() => NewTable(FirstSlots);

    public int Count { get; private set; }

    public long MemoryBytes => keys.MemoryBytes + (keyById.Length * 8L) + ((mask + 1L) * sizeof(Slot));

    public ReadOnlySpan<byte> KeyOf(int id) => KeyStore.Bytes(keyById[id]);

    public bool TryFind(ReadOnlySpan<byte> key, out int id)
    {
        var slot = Find(key, KeyHash.Of(key));
        id = slot->Key == null ? -1 : slot->Id;
        return id >= 0;
    }

    public int Intern(ReadOnlySpan<byte> key) => Intern(key, KeyHash.Of(key));

    /// <summary>
    /// Ids of rows, by row; -1 where a row is filtered. In blocks: hash every key and ask for its slot, then ask for the key that the slot
    /// names, then compare. So the misses of a block are waited for together.
    /// </summary>
    internal void Intern(ViewInput input, int fromRow, int toRow, Span<int> ids)
    {
        var hashes = stackalloc ulong[BatchRows];
        for (var first = fromRow; first < toRow; first += BatchRows)
        {
            var count = Math.Min(BatchRows, toRow - first);
            HashRows(input, first, count, hashes);
            PrefetchKeys(hashes, count);
            for (var i = 0; i < count; i++)
                ids[first + i] = input.IsFiltered(first + i) ? -1 : Intern(input.Key(first + i), hashes[i]);
        }
    }

    private void HashRows(ViewInput input, int first, int count, ulong* hashes)
    {
        for (var i = 0; i < count; i++)
        {
            hashes[i] = input.IsFiltered(first + i) ? 0 : KeyHash.Of(input.Key(first + i));
            if (Sse.IsSupported)
                Sse.Prefetch0(slots + ((int)hashes[i] & mask));
        }
    }

    private void PrefetchKeys(ulong* hashes, int count)
    {
        if (!Sse.IsSupported)
            return;
        for (var i = 0; i < count; i++)
            Sse.Prefetch0(slots[(int)hashes[i] & mask].Key); // null is harmless: a prefetch never faults
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Intern(ReadOnlySpan<byte> key, ulong hash)
    {
        var slot = Find(key, hash);
        return slot->Key != null ? slot->Id : Add(slot, key, hash);
    }

    /// <summary>The key's slot, or the free one where it belongs. The lower half of the hash chooses the slot, the upper half is compared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Slot* Find(ReadOnlySpan<byte> key, ulong hash)
    {
        for (var i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            var slot = slots + i;
            if (slot->Key == null || (slot->Hash == (uint)(hash >> 32) && KeyStore.Bytes(slot->Key).SequenceEqual(key)))
                return slot;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Add(Slot* slot, ReadOnlySpan<byte> key, ulong hash)
    {
        var id = Count++;
        if (id == keyById.Length)
            GrowIds();
        keyById[id] = keys.Add(key);
        *slot = new Slot { Hash = (uint)(hash >> 32), Id = id, Key = keyById[id] };
        if (Count * 2L > mask + 1L)
            GrowSlots();
        return id;
    }

    private void GrowIds()
    {
        var larger = new byte*[keyById.Length * 2];
        for (var i = 0; i < Count - 1; i++)
            larger[i] = keyById[i];
        keyById = larger;
    }

    private void GrowSlots()
    {
        NewTable((mask + 1) * 2);
        for (var id = 0; id < Count; id++)
        {
            var key = KeyOf(id);
            var hash = KeyHash.Of(key);
            *Find(key, hash) = new Slot { Hash = (uint)(hash >> 32), Id = id, Key = keyById[id] };
        }
    }

    private void NewTable(int count)
    {
        table = GC.AllocateArray<Slot>(count + (LineBytes / sizeof(Slot)), pinned: true);
        var start = (nuint)Unsafe.AsPointer(ref table[0]);
        slots = (Slot*)((start + LineBytes - 1) & ~(nuint)(LineBytes - 1));
        mask = count - 1;
    }
}
