using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Store;

/// <summary>Keys by hash slot of a cluster, as its specification computes it: CRC16 (XMODEM) of the hash tag, modulo 16384. Pure.</summary>
internal static class SlotGroups
{
    /// <summary>Slots of a cluster.</summary>
    public const int Slots = 1 << 14;

    private static readonly ushort[] Table = MakeTable();

    /// <summary>The keys' indexes, each group of one slot, in the order of their first keys. Keys that follow each other mostly share a tag: it is hashed once.</summary>
    public static List<List<int>> Of(PackedBytes keys)
    {
        var groups = new List<List<int>>();
        var bySlot = new Dictionary<int, List<int>>();
        ReadOnlySpan<byte> lastTag = default;
        List<int>? group = null;
        for (var i = 0; i < keys.Count; i++)
        {
            var tag = TagOf(keys[i]);
            if (group is null || !tag.SequenceEqual(lastTag))
            {
                var slot = SlotOfTag(tag);
                if (!bySlot.TryGetValue(slot, out group))
                {
                    bySlot.Add(slot, group = []);
                    groups.Add(group);
                }

                lastTag = tag;
            }

            group.Add(i);
        }

        return groups;
    }

    public static int SlotOf(ReadOnlySpan<byte> key) => SlotOfTag(TagOf(key));

    /// <summary>What is between the first brace and the next closing one; the whole key where that is nothing.</summary>
    private static ReadOnlySpan<byte> TagOf(ReadOnlySpan<byte> key)
    {
        var open = key.IndexOf((byte)'{');
        if (open < 0)
            return key;
        var length = key[(open + 1)..].IndexOf((byte)'}');
        return length > 0 ? key.Slice(open + 1, length) : key;
    }

    private static int SlotOfTag(ReadOnlySpan<byte> tag)
    {
        ushort crc = 0;
        foreach (var b in tag)
            crc = (ushort)((crc << 8) ^ Table[(crc >> 8) ^ b]);
        return crc & (Slots - 1);
    }

    private static ushort[] MakeTable()
    {
        var table = new ushort[256];
        for (var i = 0; i < table.Length; i++)
        {
            var crc = (ushort)(i << 8);
            for (var bit = 0; bit < 8; bit++)
                crc = (ushort)((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
            table[i] = crc;
        }

        return table;
    }
}
