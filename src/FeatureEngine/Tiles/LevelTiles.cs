using System.Numerics;
using System.Runtime.Intrinsics.X86;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>Opens, closes, finds and drops the tiles of entities. The open tile of a level is its newest; closed ones ascend. Not thread-safe.</summary>
internal sealed unsafe class LevelTiles(ViewProgram program, EntityLayout layout, VariablePool variables) : IDisposable
{
    private const long None = long.MinValue;
    private const int FirstCapacity = 4;

    private readonly Level[] levels = program.Levels;
    private readonly TilePool pool = new();

    public long MemoryBytes => pool.MemoryBytes;

    public ClosedTiles* Closed(long* entity, int level) => (ClosedTiles*)(entity + layout.ClosedWord[level]);

    /// <summary>The tile that an event belongs to, opened or put in where it is missing; null where the event is too late for the level.</summary>
    /// <param name="newestUs">The entity's newest event time, this event included.</param>
    public long* Find(long* entity, int l, long eventTimeUs, long newestUs)
    {
        var level = levels[l];
        var open = entity + layout.OpenWord[l];
        var start = level.StartOf(eventTimeUs);
        if (start == open[0])
            return open;
        if (open[0] == None)
        {
            Begin(level, open, start);
            return open;
        }

        var oldest = level.OldestStart(newestUs, program.AllowedLatenessUs);
        if (start > open[0])
        {
            Close(entity, l, oldest);
            Begin(level, open, start);
            return open;
        }

        return start < oldest ? null : FindClosed(entity, l, start);
    }

    /// <summary>Empties a tile that was never used or whose variable parts were moved or returned.</summary>
    public void Begin(Level level, long* tile, long start)
    {
        tile[0] = start;
        level.Identity.CopyTo(new Span<long>(tile + 1, level.LaneCount));
        new Span<long>(tile + 1 + level.LaneCount, level.Variables.Length).Clear();
    }

    /// <summary>Appends a closed tile after all others and returns it, for its content (start included) to be filled in.</summary>
    public long* Append(long* entity, int l, long startUs)
    {
        var closed = Closed(entity, l);
        MakeRoom(closed, levels[l].TileWords);
        if (closed->Count == 0)
            closed->OldestStart = startUs;
        return closed->Tile(closed->Count++, levels[l].TileWords);
    }

    /// <summary>Frees all tiles of a level.</summary>
    public void Clear(long* entity, int l)
    {
        var level = levels[l];
        var closed = Closed(entity, l);
        for (var i = 0; i < closed->Count; i++)
            ReturnVariables(level, closed->Tile(i, level.TileWords));
        if (closed->Block != null)
            pool.Return(closed->Block, closed->Capacity * level.TileWords);
        *closed = default;
        var open = entity + layout.OpenWord[l];
        if (open[0] != None)
            ReturnVariables(level, open);
        open[0] = None;
    }

    /// <summary>Touches the memory that an event will need where it closes tiles; the entity itself should be in the cache by now.</summary>
    public void PrefetchClosing(long* entity, long eventTimeUs)
    {
        for (var l = 0; l < levels.Length; l++)
        {
            var open = (entity + layout.OpenWord[l])[0];
            var closed = Closed(entity, l);
            if ((ulong)(eventTimeUs - open) >= (ulong)levels[l].HopUs && closed->Block != null)
                Sse.Prefetch0(closed->Tile(closed->Count, levels[l].TileWords));
        }
    }

    public void Dispose() => pool.Dispose();

    private void Close(long* entity, int l, long oldest)
    {
        var level = levels[l];
        var words = level.TileWords;
        var closed = Closed(entity, l);
        while (closed->Count > 0 && closed->OldestStart < oldest)
        {
            ReturnVariables(level, closed->Tile(0, words));
            closed->Head++;
            if (--closed->Count > 0)
                closed->OldestStart = closed->Tile(0, words)[0];
        }

        var open = entity + layout.OpenWord[l];
        if (open[0] < oldest)
        {
            ReturnVariables(level, open);
            return;
        }

        new ReadOnlySpan<long>(open, words).CopyTo(new Span<long>(Append(entity, l, open[0]), words));
    }

    private long* FindClosed(long* entity, int l, long start)
    {
        var level = levels[l];
        var words = level.TileWords;
        var closed = Closed(entity, l);
        var at = closed->Count;
        while (at > 0 && closed->Tile(at - 1, words)[0] > start)
            at--;
        if (at > 0 && closed->Tile(at - 1, words)[0] == start)
            return closed->Tile(at - 1, words);
        MakeRoom(closed, words);
        var tile = closed->Tile(at, words);
        var moved = (closed->Count - at) * words;
        new ReadOnlySpan<long>(tile, moved).CopyTo(new Span<long>(tile + words, moved));
        closed->Count++;
        if (at == 0)
            closed->OldestStart = start;
        Begin(level, tile, start);
        return tile;
    }

    /// <summary>Room for one more tile after the last: by moving to the front, or into a block of twice the size.</summary>
    private void MakeRoom(ClosedTiles* closed, int words)
    {
        if (closed->Head + closed->Count < closed->Capacity)
            return;
        var used = new ReadOnlySpan<long>(closed->Block + ((long)closed->Head * words), closed->Count * words);
        if (closed->Head > 0 && closed->Head * 2 >= closed->Capacity)
        {
            used.CopyTo(new Span<long>(closed->Block, used.Length));
            closed->Head = 0;
            return;
        }

        var capacity = Math.Max(FirstCapacity, (int)BitOperations.RoundUpToPowerOf2((uint)closed->Count + 1));
        var block = pool.Rent(capacity * words);
        used.CopyTo(new Span<long>(block, used.Length));
        if (closed->Block != null)
            pool.Return(closed->Block, closed->Capacity * words);
        closed->Block = block;
        closed->Head = 0;
        closed->Capacity = capacity;
    }

    private void ReturnVariables(Level level, long* tile)
    {
        for (var v = 0; v < level.Variables.Length; v++)
            variables.Return(ref tile[1 + level.LaneCount + v]);
    }
}
