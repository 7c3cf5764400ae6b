using System.Buffers;
using System.Buffers.Binary;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>Writes entities in memory as <see cref="StateFormat"/> and takes them back. Not thread-safe.</summary>
internal sealed unsafe class StateCodec(ViewProgram program, EntityLayout layout, OpenTiles open, LevelTiles closed, VariablePool variables)
{
    private const int LengthBytes = 4;

    private readonly Level[] levels = program.Levels;
    private readonly ClosedTiles[] written = new ClosedTiles[program.Levels.Length]; // of the entity being encoded: by level the closed tiles to be written

    public void Encode(long* entity, IBufferWriter<byte> output)
    {
        open.Settle(entity);
        var bytes = Measure(entity);
        fixed (byte* start = output.GetSpan(bytes))
        {
            start[0] = StateFormat.Version;
            *(long*)(start + 1) = entity[EntityLayout.NewestWord];
            *(long*)(start + 9) = entity[EntityLayout.LastOffsetWord];
            var at = start + StateFormat.HeaderBytes;
            for (var l = 0; l < levels.Length; l++)
                at = EncodeLevel(entity, l, at);
        }

        output.Advance(bytes);
    }

    /// <exception cref="FormatException">The bytes are not a state of this view's program.</exception>
    public void Load(long* entity, ReadOnlySpan<byte> state)
    {
        StateFormat.CheckHeader(program, state);
        entity[EntityLayout.NewestWord] = BinaryPrimitives.ReadInt64LittleEndian(state[1..]);
        entity[EntityLayout.LastOffsetWord] = BinaryPrimitives.ReadInt64LittleEndian(state[9..]);
        entity[EntityLayout.OwnWord] = open.AllOwn;
        var at = state[StateFormat.HeaderBytes..];
        for (var l = 0; l < levels.Length; l++)
            at = LoadLevel(entity, l, at);
        if (!at.IsEmpty)
            throw StateFormat.Malformed(program, $"{at.Length} bytes are left over");
    }

    /// <summary>Finds what is to be written and returns how many bytes that takes.</summary>
    private int Measure(long* entity)
    {
        var newest = entity[EntityLayout.NewestWord];
        var bytes = StateFormat.HeaderBytes;
        for (var l = 0; l < levels.Length; l++)
        {
            var level = levels[l];
            var tiles = closed.Closed(entity, l).From(level.OldestStart(newest, program.AllowedLatenessUs));
            written[l] = tiles;
            bytes += LengthBytes + ((tiles.Count + 1) * level.StoredTileBytes);
            for (var i = 0; level.Variables.Length > 0 && i < tiles.Count; i++)
                bytes += MeasureVariables(level, tiles.Tile(i));
            bytes += MeasureVariables(level, entity + layout.OpenWord[l]);
        }

        return bytes;
    }

    private int MeasureVariables(Level level, long* tile)
    {
        var bytes = 0;
        for (var v = 0; v < level.Variables.Length; v++)
            bytes += LengthBytes + variables.Bytes(tile[1 + level.LaneCount + v]).Length;
        return bytes;
    }

    private byte* EncodeLevel(long* entity, int l, byte* at)
    {
        var level = levels[l];
        var tiles = written[l];
        var openTile = entity + layout.OpenWord[l];
        *(int*)at = tiles.Count + 1;
        at = Write(at + LengthBytes, (long*)tiles.Older.Tiles, tiles.Older.Count, level);
        at = Write(at, (long*)tiles.Newer.Tiles, tiles.Newer.Count, level);
        at = Write(at, openTile, 1, level);
        for (var i = 0; level.Variables.Length > 0 && i < tiles.Count; i++)
            at = WriteVariables(at, level, tiles.Tile(i));
        return WriteVariables(at, level, openTile);
    }

    private static byte* Write(byte* to, long* tiles, int count, Level level)
    {
        var bytes = level.StoredTileBytes;
        if (bytes == level.TileWords * 8)
        {
            Buffer.MemoryCopy(tiles, to, (long)count * bytes, (long)count * bytes);
            return to + ((long)count * bytes);
        }

        for (var i = 0; i < count; i++, tiles += level.TileWords, to += bytes)
            Buffer.MemoryCopy(tiles, to, bytes, bytes);
        return to;
    }

    private byte* WriteVariables(byte* to, Level level, long* tile)
    {
        for (var v = 0; v < level.Variables.Length; v++)
        {
            var part = variables.Bytes(tile[1 + level.LaneCount + v]);
            *(int*)to = part.Length;
            part.CopyTo(new Span<byte>(to + LengthBytes, part.Length));
            to += LengthBytes + part.Length;
        }

        return to;
    }

    private ReadOnlySpan<byte> LoadLevel(long* entity, int l, ReadOnlySpan<byte> at)
    {
        var level = levels[l];
        var count = StateFormat.TileCount(program, level, ref at);
        if (count == 0)
            throw StateFormat.Malformed(program, "a level has no tile, though every level holds the newest event");
        var openTile = entity + layout.OpenWord[l];
        var tile = closed.AppendAll(entity, l, count - 1);
        var stored = at[..(count * level.StoredTileBytes)];
        at = at[stored.Length..];
        for (var i = 0; i < count - 1; i++, tile += level.TileWords)
            LoadTile(level, tile, stored.Slice(i * level.StoredTileBytes, level.StoredTileBytes), ref at);
        LoadTile(level, openTile, stored[^level.StoredTileBytes..], ref at);
        if (openTile[0] != level.StartOf(entity[EntityLayout.NewestWord]))
            throw StateFormat.Malformed(program, $"a level's last tile starts at {openTile[0]}, though the newest event is at {entity[EntityLayout.NewestWord]}");
        return at;
    }

    private void LoadTile(Level level, long* tile, ReadOnlySpan<byte> stored, ref ReadOnlySpan<byte> parts)
    {
        stored.CopyTo(new Span<byte>(tile, stored.Length));
        for (var v = 0; v < level.Variables.Length; v++)
        {
            ref var handle = ref tile[1 + level.LaneCount + v];
            handle = 0;
            var part = StateFormat.Variable(program, ref parts);
            if (!part.IsEmpty)
                variables.Get(ref handle).Set(part);
        }
    }
}
