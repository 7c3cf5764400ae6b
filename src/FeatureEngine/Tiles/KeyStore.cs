using System.Runtime.CompilerServices;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>Keys in pinned memory, each its length (i32) and bytes; they never move. Not thread-safe.</summary>
internal sealed unsafe class KeyStore
{
    private const int FirstChunkBytes = 1 << 12;
    private const int LargestChunkBytes = 1 << 20;
    private const int LengthBytes = 4;

    private readonly List<byte[]> chunks = [];
    private byte* next;
    private long left;

    public long MemoryBytes { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> Bytes(byte* key) => new(key + LengthBytes, *(int*)key);

    public byte* Add(ReadOnlySpan<byte> key)
    {
        // Aligned to 8, so that a key of up to 60 bytes lies in two cache lines at most and mostly in one.
        var needed = (LengthBytes + (long)key.Length + 7) & ~7;
        if (needed > left)
            AddChunk(needed);
        var at = next;
        next += needed;
        left -= needed;
        *(int*)at = key.Length;
        key.CopyTo(new Span<byte>(at + LengthBytes, key.Length));
        return at;
    }

    private void AddChunk(long needed)
    {
        left = Math.Max(needed, Math.Min(LargestChunkBytes, FirstChunkBytes << Math.Min(chunks.Count, 8)));
        var chunk = GC.AllocateUninitializedArray<byte>((int)left, pinned: true);
        next = (byte*)Unsafe.AsPointer(ref chunk[0]);
        chunks.Add(chunk);
        MemoryBytes += left;
    }
}
