using System.Buffers.Binary;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// A state's bytes in the store (little-endian): version u8 = 1, newest event time i64, last offset i64; then per level, from the finest
/// hop to the lifetime: tile count i32, the tiles (start i64, lanes i64 each), and where the level has variable parts, per tile and part a
/// length i32 and that many bytes. Only tiles that can still be read are written, so the bytes depend on the prefix alone.
/// </summary>
internal static class StateFormat
{
    public const byte Version = 1;
    public const int HeaderBytes = 17;

    public static void CheckHeader(ViewProgram program, ReadOnlySpan<byte> state)
    {
        if (state.Length < HeaderBytes || state[0] != Version)
            throw Malformed(program, $"it has {state.Length} bytes and version {(state.IsEmpty ? -1 : state[0])}, where version {Version} is known");
    }

    /// <summary>Count of the level's tiles; <paramref name="at"/> moves to the first.</summary>
    public static int TileCount(ViewProgram program, Level level, ref ReadOnlySpan<byte> at)
    {
        var count = at.Length >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(at) : -1;
        if (count < 0 || (long)count * level.StoredTileBytes > at.Length - 4)
            throw Malformed(program, $"a level says {count} tiles in {at.Length} bytes");
        at = at[4..];
        return count;
    }

    /// <summary>The next variable part; <paramref name="at"/> moves past it.</summary>
    public static ReadOnlySpan<byte> Variable(ViewProgram program, ref ReadOnlySpan<byte> at)
    {
        var length = at.Length >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(at) : -1;
        if (length < 0 || length > at.Length - 4)
            throw Malformed(program, $"a variable part says {length} bytes where {at.Length} are left");
        var part = at.Slice(4, length);
        at = at[(4 + length)..];
        return part;
    }

    public static FormatException Malformed(ViewProgram program, string what) =>
        new($"a stored state is not one of view '{program.View.Name}' ({program.Hash8}): {what}. Was the store written by another version of StreamMl? Rebuild the view from the archive");
}
