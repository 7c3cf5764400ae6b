using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>Where a read takes its tiles from: memory or stored bytes. Levels are visited in order.</summary>
internal unsafe interface ITileSource
{
    /// <summary>Moves to a level.</summary>
    void Enter(int level, out TileRuns tiles);

    /// <summary>A variable part of tile <paramref name="tile"/>, counted over all runs of the level entered.</summary>
    ReadOnlySpan<byte> Variable(int tile, int variable);
}

/// <summary>Tiles of an entity in memory, whose open tiles were settled.</summary>
internal unsafe ref struct MemoryTiles(long* entity, EntityLayout layout, Level[] levels, LevelTiles tiles, VariablePool variables) : ITileSource
{
    private Level level = levels[0];
    private ClosedTiles closedTiles;
    private long* openTile;

    public void Enter(int l, out TileRuns runs)
    {
        level = levels[l];
        closedTiles = tiles.Closed(entity, l);
        openTile = entity + layout.OpenWord[l];
        runs = new TileRuns(closedTiles.Older, closedTiles.Newer, new TileRun((byte*)openTile, 1, level.TileWords * 8));
    }

    public readonly ReadOnlySpan<byte> Variable(int tile, int variable)
    {
        var at = tile < closedTiles.Count ? closedTiles.Tile(tile) : openTile;
        return variables.Bytes(at[1 + level.LaneCount + variable]);
    }
}

/// <summary>Tiles of a stored state. The bytes must stay where they are (pinned) while it is used.</summary>
internal unsafe ref struct StoredTiles(ViewProgram program, byte* state, int length) : ITileSource
{
    private readonly byte* end = state + length;
    private byte* next = state + StateFormat.HeaderBytes;
    private byte* variables;
    private Level level = program.Levels[0];

    public void Enter(int l, out TileRuns runs)
    {
        level = program.Levels[l];
        var at = new ReadOnlySpan<byte>(next, (int)(end - next));
        var count = StateFormat.TileCount(program, level, ref at);
        next += 4;
        var none = new TileRun(next, 0, level.StoredTileBytes);
        runs = new TileRuns(new TileRun(next, count, level.StoredTileBytes), none, none);
        next += (long)count * level.StoredTileBytes;
        variables = next;
        for (var i = 0; i < count * level.Variables.Length; i++)
        {
            at = new ReadOnlySpan<byte>(next, (int)(end - next));
            next += 4 + StateFormat.Variable(program, ref at).Length;
        }
    }

    public readonly ReadOnlySpan<byte> Variable(int tile, int variable)
    {
        var at = variables;
        for (var skip = (tile * level.Variables.Length) + variable; skip > 0; skip--)
            at += 4 + *(int*)at;
        return new ReadOnlySpan<byte>(at + 4, *(int*)at);
    }
}
