using System.Buffers.Binary;

namespace StreamMl.Shared.Log;

/// <summary>
/// How far a view's partition has come: the value that the store keeps beside the states, written with every commit and read with every
/// answer. Layout (little-endian): version u8 = 1, epoch i64, nextOffset i64, watermarkUs i64, arrivalClockUs i64, firstEventTimeUs i64,
/// sourceCount i32, then per source partition its last seen offset i64 (repartition logs only; -1: none yet); then, only where it is not 0, fromOffset i64.
/// </summary>
/// <param name="Epoch">Raised on every assignment; an older owner's commit is refused.</param>
/// <param name="NextOffset">The first offset that is not in the states: the prefix is [<see cref="FromOffset"/>, NextOffset).</param>
/// <param name="WatermarkUs">Greatest event time of the accepted records in the prefix; <see cref="None"/> before the first.</param>
/// <param name="ArrivalClockUs">Greatest record timestamp in the prefix; <see cref="None"/> before the first.</param>
/// <param name="FirstEventTimeUs">Least event time in the prefix: before it nothing was ever seen; <see cref="None"/> before the first.</param>
/// <param name="SourceOffsets">For a repartition log: by source partition, the last source offset seen. Empty otherwise.</param>
public sealed record PositionRecord(
    long Epoch, long NextOffset, long WatermarkUs, long ArrivalClockUs, long FirstEventTimeUs, IReadOnlyList<long> SourceOffsets)
{
    public const byte Version = 1;

    private const int HeaderLength = 1 + (8 * 5) + 4;

    /// <summary>No event yet.</summary>
    public const long None = long.MinValue;

    public static PositionRecord Start { get; } = new(0, 0, None, None, None, []);

    /// <summary>
    /// Where counting began: 0 (default), or the first offset that the log still had when somebody began on it without what was before. Such values know nothing of [0, FromOffset).
    /// </summary>
    public long FromOffset { get; init; }

    public byte[] Encode()
    {
        var bytes = new byte[HeaderLength + (8 * SourceOffsets.Count) + (FromOffset > 0 ? 8 : 0)];
        bytes[0] = Version;
        var at = bytes.AsSpan(1);
        Write(ref at, Epoch);
        Write(ref at, NextOffset);
        Write(ref at, WatermarkUs);
        Write(ref at, ArrivalClockUs);
        Write(ref at, FirstEventTimeUs);
        BinaryPrimitives.WriteInt32LittleEndian(at, SourceOffsets.Count);
        at = at[4..];
        foreach (var offset in SourceOffsets)
            Write(ref at, offset);
        if (FromOffset > 0)
            Write(ref at, FromOffset);
        return bytes;
    }

    /// <exception cref="FormatException">Not a position record of this version.</exception>
    public static PositionRecord Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength || bytes[0] != Version)
            throw new FormatException($"not a position record of version {Version}: {bytes.Length} bytes, first byte {(bytes.IsEmpty ? -1 : bytes[0])}; was the store written by another version of StreamMl?");
        var sources = new long[BinaryPrimitives.ReadInt32LittleEndian(bytes[41..])];
        for (var i = 0; i < sources.Length; i++)
            sources[i] = At(bytes, HeaderLength + (8 * i));
        var end = HeaderLength + (8 * sources.Length);
        return new PositionRecord(At(bytes, 1), At(bytes, 9), At(bytes, 17), At(bytes, 25), At(bytes, 33), sources) { FromOffset = bytes.Length >= end + 8 ? At(bytes, end) : 0 };
    }

    private static long At(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    private static void Write(ref Span<byte> at, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(at, value);
        at = at[8..];
    }
}
