using System.Buffers.Binary;

namespace StreamMl.Shared.Store;

/// <summary>The value that says that readers have a view version in their catalogue. Layout (little-endian): version u8 = 1, seenUs i64.</summary>
/// <param name="SeenUs">When one of them said so last, by its own clock: microseconds since 1970.</param>
public sealed record ReaderRecord(long SeenUs)
{
    public const byte Version = 1;

    /// <summary>How often a reader says so.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>A reader that was silent for so long is gone, or has another catalogue.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    public byte[] Encode()
    {
        var bytes = new byte[9];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), SeenUs);
        return bytes;
    }

    /// <exception cref="FormatException">Not such a record of this version.</exception>
    public static ReaderRecord Decode(ReadOnlySpan<byte> bytes) => bytes.Length == 9 && bytes[0] == Version
        ? new ReaderRecord(BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]))
        : throw new FormatException($"not a reader's record of version {Version}: {bytes.Length} bytes; was the store written by another version of StreamMl?");
}
