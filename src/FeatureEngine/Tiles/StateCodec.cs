using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// A state's bytes in the store (little-endian): version u8 = 1, newest event time i64, last offset i64; then per level, from the finest
/// hop to the lifetime: tile count i32, the tiles (start i64, lanes i64 each), and where the level has variable parts, per tile and part a
/// length i32 and that many bytes. Only tiles that can still be read are written, so the bytes depend on the prefix alone.
/// </summary>
internal static unsafe class StateCodec
{
    public const byte Version = 1;
    public const int HeaderBytes = 17;
    private const long None = long.MinValue;

    public static void Encode(ViewProgram program, long* entity, EntityLayout layout, LevelTiles tiles, VariablePool variables, IBufferWriter<byte> output)
    {
        var newest = entity[EntityLayout.NewestWord];
        var header = output.GetSpan(HeaderBytes);
        header[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(header[1..], newest);
        BinaryPrimitives.WriteInt64LittleEndian(header[9..], entity[EntityLayout.LastOffsetWord]);
        output.Advance(HeaderBytes);
        for (var l = 0; l < program.Levels.Length; l++)
        {
            var level = program.Levels[l];
            var closed = tiles.Closed(entity, l);
            var open = entity + layout.OpenWord[l];
            var oldest = level.OldestStart(newest, program.AllowedLatenessUs);
            var first = 0;
            while (first < closed->Count && closed->Tile(first, level.TileWords)[0] < oldest)
                first++;
            var withOpen = open[0] != None && open[0] >= oldest;
            EncodeLevel(level, closed, first, withOpen ? open : null, variables, output);
        }
    }

    public static void Load(ViewProgram program, long* entity, EntityLayout layout, LevelTiles tiles, VariablePool variables, ReadOnlySpan<byte> state)
    {
        CheckHeader(program, state);
        entity[EntityLayout.NewestWord] = BinaryPrimitives.ReadInt64LittleEndian(state[1..]);
        entity[EntityLayout.LastOffsetWord] = BinaryPrimitives.ReadInt64LittleEndian(state[9..]);
        var at = state[HeaderBytes..];
        for (var l = 0; l < program.Levels.Length; l++)
            at = LoadLevel(program, l, entity, layout, tiles, variables, at);
        if (!at.IsEmpty)
            throw Malformed(program, $"{at.Length} bytes are left over");
    }

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

    private static void EncodeLevel(Level level, ClosedTiles* closed, int first, long* open, VariablePool variables, IBufferWriter<byte> output)
    {
        var closedCount = closed->Count - first;
        var count = closedCount + (open != null ? 1 : 0);
        var tileBytes = level.StoredTileBytes;
        var span = output.GetSpan(4 + (count * tileBytes));
        BinaryPrimitives.WriteInt32LittleEndian(span, count);
        var at = span[4..];
        if (level.Variables.Length == 0 && closedCount > 0)
        {
            new ReadOnlySpan<byte>(closed->Tile(first, level.TileWords), closedCount * tileBytes).CopyTo(at);
            at = at[(closedCount * tileBytes)..];
        }
        else
        {
            for (var i = 0; i < closedCount; i++, at = at[tileBytes..])
                new ReadOnlySpan<byte>(closed->Tile(first + i, level.TileWords), tileBytes).CopyTo(at);
        }

        if (open != null)
            new ReadOnlySpan<byte>(open, tileBytes).CopyTo(at);
        output.Advance(4 + (count * tileBytes));
        if (level.Variables.Length == 0)
            return;
        for (var i = 0; i < closedCount; i++)
            EncodeVariables(level, closed->Tile(first + i, level.TileWords), variables, output);
        if (open != null)
            EncodeVariables(level, open, variables, output);
    }

    private static void EncodeVariables(Level level, long* tile, VariablePool variables, IBufferWriter<byte> output)
    {
        for (var v = 0; v < level.Variables.Length; v++)
        {
            var part = variables.Bytes(tile[1 + level.LaneCount + v]);
            BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), part.Length);
            output.Advance(4);
            output.Write(part);
        }
    }

    private static ReadOnlySpan<byte> LoadLevel(ViewProgram program, int l, long* entity, EntityLayout layout, LevelTiles tiles, VariablePool variables, ReadOnlySpan<byte> at)
    {
        var level = program.Levels[l];
        var count = TileCount(program, level, ref at);
        var stored = at;
        at = at[(count * level.StoredTileBytes)..];
        for (var i = 0; i < count; i++)
        {
            var tile = i < count - 1 ? tiles.Append(entity, l, BinaryPrimitives.ReadInt64LittleEndian(stored[(i * level.StoredTileBytes)..])) : entity + layout.OpenWord[l];
            stored.Slice(i * level.StoredTileBytes, level.StoredTileBytes).CopyTo(MemoryMarshal.AsBytes(new Span<long>(tile, 1 + level.LaneCount)));
            new Span<long>(tile + 1 + level.LaneCount, level.Variables.Length).Clear();
            for (var v = 0; v < level.Variables.Length; v++)
            {
                var part = Variable(program, ref at);
                if (!part.IsEmpty)
                    variables.Get(ref tile[1 + level.LaneCount + v]).Set(part);
            }
        }

        return at;
    }

    private static FormatException Malformed(ViewProgram program, string what) =>
        new($"a stored state is not one of view '{program.View.Name}' ({program.Hash8}): {what}. Was the store written by another version of StreamMl? Rebuild the view from the archive");
}
