using System.Globalization;
using System.IO.Hashing;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// Categories by their UTF-8 bytes: an open-addressing table over one buffer, so that a lookup compares bytes and allocates nothing. Grows while it is
/// filled; read-only afterwards, and then thread-safe.
/// </summary>
internal sealed class CategoryTable
{
    private const int FirstSlots = 16;

    private int[] slots = NewSlots(FirstSlots);
    private ulong[] hashes = new ulong[FirstSlots / 2];
    private int[] ends = new int[FirstSlots / 2];
    private byte[] bytes = new byte[64];

    public int Count { get; private set; }

    /// <summary>The category's index in order of arrival, or -1.</summary>
    public int Find(ReadOnlySpan<byte> category) => slots[SlotOf(category, XxHash3.HashToUInt64(category))];

    public int GetOrAdd(ReadOnlySpan<byte> category)
    {
        var hash = XxHash3.HashToUInt64(category);
        var slot = SlotOf(category, hash);
        if (slots[slot] >= 0)
            return slots[slot];
        Append(category, hash);
        slots[slot] = Count - 1;
        if (Count * 2 > slots.Length)
            Rehash();
        return Count - 1;
    }

    public ReadOnlySpan<byte> Bytes(int index)
    {
        var start = index == 0 ? 0 : ends[index - 1];
        return bytes.AsSpan(start, ends[index] - start);
    }

    private int SlotOf(ReadOnlySpan<byte> category, ulong hash)
    {
        var mask = slots.Length - 1;
        for (var slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            var index = slots[slot];
            if (index < 0 || (hashes[index] == hash && Bytes(index).SequenceEqual(category)))
                return slot;
        }
    }

    private void Append(ReadOnlySpan<byte> category, ulong hash)
    {
        if (Count == ends.Length)
        {
            Array.Resize(ref ends, Count * 2);
            Array.Resize(ref hashes, Count * 2);
        }

        var start = Count == 0 ? 0 : ends[Count - 1];
        if (start + category.Length > bytes.Length)
            Array.Resize(ref bytes, Math.Max(bytes.Length * 2, start + category.Length));
        category.CopyTo(bytes.AsSpan(start));
        ends[Count] = start + category.Length;
        hashes[Count++] = hash;
    }

    private void Rehash()
    {
        slots = NewSlots(slots.Length * 2);
        var mask = slots.Length - 1;
        for (var index = 0; index < Count; index++)
        {
            var slot = (int)hashes[index] & mask;
            while (slots[slot] >= 0)
                slot = (slot + 1) & mask;
            slots[slot] = index;
        }
    }

    private static int[] NewSlots(int count)
    {
        var empty = new int[count];
        Array.Fill(empty, -1);
        return empty;
    }
}

/// <summary>Text of number categories and back: the shortest invariant form, -0 as 0.</summary>
internal static class NumberCategory
{
    public static string Text(double value) => (value + 0.0).ToString("R", CultureInfo.InvariantCulture);
}
