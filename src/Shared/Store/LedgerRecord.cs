using System.Buffers.Binary;
using StreamMl.Shared.Log;

namespace StreamMl.Shared.Store;

/// <summary>
/// The ledger of a log partition as the store keeps it, since its first record. Layout (little-endian): version u8 = 1, then i64 read, applied, late,
/// duplicate, filtered, dead-lettered.
/// </summary>
public static class LedgerRecord
{
    public const byte Version = 1;

    public static byte[] Encode(LedgerCounts counts)
    {
        var bytes = new byte[49];
        bytes[0] = Version;
        ReadOnlySpan<long> fields = [counts.Read, counts.Applied, counts.Late, counts.Duplicate, counts.Filtered, counts.DeadLettered];
        for (var i = 0; i < fields.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1 + (8 * i)), fields[i]);
        return bytes;
    }

    /// <summary>Zero for an absent record.</summary>
    /// <exception cref="FormatException">Not a ledger record of this version.</exception>
    public static LedgerCounts Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return default;
        if (bytes.Length != 49 || bytes[0] != Version)
            throw new FormatException($"not a ledger record of version {Version}: {bytes.Length} bytes, first byte {bytes[0]}; was the store written by another version of StreamMl?");
        Span<long> fields = stackalloc long[6];
        for (var i = 0; i < fields.Length; i++)
            fields[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(1 + (8 * i))..]);
        return new LedgerCounts(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
    }
}
