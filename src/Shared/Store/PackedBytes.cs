using System.Buffers;

namespace StreamMl.Shared.Store;

/// <summary>
/// An append-only list of byte strings in one buffer: keys and values on their way to the store without an object each. Reusable
/// (<see cref="Clear"/>); not thread-safe. Spans and memories stay valid until the next append or <see cref="Clear"/>.
/// </summary>
public sealed class PackedBytes(int items = 16, int bytesPerItem = 64) : IBufferWriter<byte>
{
    private byte[] bytes = new byte[items * bytesPerItem];
    private int[] ends = new int[items];
    private int length;

    public int Count { get; private set; }

    /// <summary>Bytes of all items together.</summary>
    public int ByteCount => Count == 0 ? 0 : ends[Count - 1];

    public ReadOnlySpan<byte> this[int index] => bytes.AsSpan(StartOf(index), ends[index] - StartOf(index));

    public ReadOnlyMemory<byte> Memory(int index) => bytes.AsMemory(StartOf(index), ends[index] - StartOf(index));

    /// <summary>Appends an item and returns its index.</summary>
    public int Add(ReadOnlySpan<byte> item) => Add(item, default);

    /// <summary>Appends one item made of two parts, as a key's prefix and its tail.</summary>
    public int Add(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        length = ByteCount;
        first.CopyTo(GetSpan(first.Length + second.Length));
        second.CopyTo(bytes.AsSpan(length + first.Length));
        length += first.Length + second.Length;
        return EndItem();
    }

    /// <summary>Ends the item that was written through <see cref="IBufferWriter{T}"/> since the last one; returns its index. It may be empty.</summary>
    public int EndItem()
    {
        if (Count == ends.Length)
            Array.Resize(ref ends, Math.Max(16, ends.Length * 2));
        ends[Count] = length;
        return Count++;
    }

    /// <summary>Bytes written since the last item ended.</summary>
    public int OpenLength => length - ByteCount;

    /// <summary>Takes back the last item.</summary>
    public void RemoveLast()
    {
        Count--;
        length = ByteCount;
    }

    public void Clear()
    {
        Count = 0;
        length = 0;
    }

    public void Advance(int count) => length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return bytes.AsMemory(length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(sizeHint);
        return bytes.AsSpan(length);
    }

    private int StartOf(int index) => index == 0 ? 0 : ends[index - 1];

    private void Ensure(int sizeHint)
    {
        var needed = length + Math.Max(sizeHint, 64);
        if (needed > bytes.Length)
            Array.Resize(ref bytes, Math.Max(needed, (int)Math.Min((long)bytes.Length * 2, Array.MaxLength)));
    }
}
