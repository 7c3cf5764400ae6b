using System.Buffers.Binary;

namespace StreamMl.Shared.Store;

/// <summary>
/// The value that says that a rollout builds a view version beside the one that runs, so that nobody takes it for an old one. Layout (little-endian): version u8 = 1,
/// readyEpoch i64.
/// </summary>
/// <param name="ReadyEpoch">
/// 0: it is being built, or was cut short. Else the rollout ended with the version ready, and the epoch that its position on the log's first partition had then: a worker that
/// takes it over raises that one.
/// </param>
public sealed record BesideRecord(long ReadyEpoch)
{
    public const byte Version = 1;

    public byte[] Encode()
    {
        var bytes = new byte[9];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(1), ReadyEpoch);
        return bytes;
    }

    /// <exception cref="FormatException">Not such a record of this version.</exception>
    public static BesideRecord Decode(ReadOnlySpan<byte> bytes) => bytes.Length == 9 && bytes[0] == Version
        ? new BesideRecord(BinaryPrimitives.ReadInt64LittleEndian(bytes[1..]))
        : throw new FormatException($"not a rollout's record of version {Version}: {bytes.Length} bytes; was the store written by another version of StreamMl?");
}
