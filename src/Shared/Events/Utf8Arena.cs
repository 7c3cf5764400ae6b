using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace StreamMl.Shared.Events;

/// <summary>Append-only UTF-8 bytes that string lanes point into. A lane packs start (high 32 bits) and length (low 32 bits). Not thread-safe.</summary>
public sealed class Utf8Arena(int capacity = 4096)
{
    private byte[] bytes = new byte[capacity];

    public int Length { get; private set; }

    /// <summary>All bytes written so far.</summary>
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    public long Append(ReadOnlySpan<byte> utf8)
    {
        var start = Length;
        utf8.CopyTo(Reserve(utf8.Length));
        return Pack(start, utf8.Length);
    }

    public long Append(string text)
    {
        var start = Length;
        var span = Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        var written = Encoding.UTF8.GetBytes(text, span);
        Length = start + written;
        return Pack(start, written);
    }

    /// <summary>Makes room for <paramref name="count"/> bytes and advances over them.</summary>
    public Span<byte> Reserve(int count)
    {
        if (Length + count > bytes.Length)
            Grow(count);
        var span = bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }

    /// <summary>
    /// Room for <paramref name="count"/> bytes behind the last one, without advancing: whoever fills it says with <see cref="Commit"/> how
    /// much of it counts.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Room(int count)
    {
        if (bytes.Length - Length < count)
            Grow(count);
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(bytes), Length);
    }

    /// <summary>Advances over the first <paramref name="count"/> bytes of the room last asked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(int count) => Length += count;

    /// <summary>Takes back the tail from <paramref name="length"/> on: the row that wrote it was refused.</summary>
    public void Truncate(int length) => Length = length;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Slice(long lane) => bytes.AsSpan((int)(lane >> 32), (int)lane);

    public string GetString(long lane) => Encoding.UTF8.GetString(Slice(lane));

    public void Clear() => Length = 0;

    private void Grow(int count) => Array.Resize(ref bytes, Math.Max(bytes.Length * 2, Length + count));

    public static long Pack(int start, int length) => ((long)start << 32) | (uint)length;
}
