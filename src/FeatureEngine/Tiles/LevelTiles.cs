using System.Numerics;
using System.Runtime.CompilerServices;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// The closed tiles of entities: appended when an event opens a newer tile, found and put in between for late events, dropped when their room
/// is needed. The word of a level's end packs a pointer (48 bits) and the room left there (16 bits), so that appending reads one word.
/// Not thread-safe.
/// </summary>
internal sealed unsafe class LevelTiles(ViewProgram program, EntityLayout layout, VariablePool variables) : IDisposable
{
    private const int FirstCapacity = 4;
    private const int RoomShift = 48;
    private const ulong OneRoom = 1UL << RoomShift;
    private const ulong PointerMask = OneRoom - 1;
    private const long MostRoom = ushort.MaxValue;

    private readonly Level[] levels = program.Levels;
    private readonly TilePool pool = new(program.Levels.Length);

    public long MemoryBytes => pool.MemoryBytes;

    public ClosedTiles Closed(long* entity, int l) => new(Block(entity, l)->First, Count(entity, l), levels[l].TileWords);

    /// <summary>Where the next tile goes; only good for prefetching.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* End(long* entity, int l) => (void*)(*EndWord(entity, l) & PointerMask);

    /// <summary>Room for a closed tile after all others, whose content (start included) the caller fills in.</summary>
    /// <param name="newestUs">The entity's newest event time: what is too old for it may be dropped.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long* Append(long* entity, int l, int tileWords, long newestUs)
    {
        var end = EndWord(entity, l);
        if (*end < OneRoom)
            MakeRoom(entity, l, newestUs);
        var tile = (long*)(*end & PointerMask);
        *end += ((ulong)tileWords * 8) - OneRoom;
        return tile;
    }

    /// <summary>Room for that many closed tiles in a level that has none; they are ascending, and the caller fills them in.</summary>
    public long* AppendAll(long* entity, int l, int count)
    {
        if (count == 0)
            return null;
        var words = levels[l].TileWords;
        var block = Block(entity, l);
        block->Capacity = Math.Max(FirstCapacity, BitOperations.RoundUpToPowerOf2((uint)count + 1));
        block->First = pool.Rent(l, block->Capacity, words);
        SetCount(entity, l, count);
        return block->First;
    }

    /// <summary>The closed tile with a start, put in where it is missing.</summary>
    public long* FindOrInsert(long* entity, int l, long startUs, long newestUs)
    {
        var level = levels[l];
        var closed = Closed(entity, l);
        var at = closed.LowerBound(startUs);
        if (at < closed.Count && closed.Tile(at)[0] == startUs)
            return closed.Tile(at);
        if (*EndWord(entity, l) < OneRoom)
        {
            MakeRoom(entity, l, newestUs);
            closed = Closed(entity, l);
            at = closed.LowerBound(startUs);
        }

        var tile = closed.Tile(at);
        var moved = (closed.Count - at) * level.TileWords;
        new ReadOnlySpan<long>(tile, moved).CopyTo(new Span<long>(tile + level.TileWords, moved));
        SetCount(entity, l, closed.Count + 1);
        level.Begin(tile, startUs);
        return tile;
    }

    /// <summary>Frees all closed tiles of a level.</summary>
    public void Clear(long* entity, int l)
    {
        var block = Block(entity, l);
        if (block->Capacity == 0)
            return;
        if (levels[l].Variables.Length > 0)
        {
            var closed = Closed(entity, l);
            for (var i = 0; i < closed.Count; i++)
                ReturnVariables(levels[l], closed.Tile(i));
        }

        pool.Return(l, block->Capacity, block->First);
        *block = default;
        *EndWord(entity, l) = 0;
    }

    public void ReturnVariables(Level level, long* tile)
    {
        for (var v = 0; v < level.Variables.Length; v++)
            variables.Return(ref tile[1 + level.LaneCount + v]);
    }

    public void Dispose() => pool.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* EndWord(long* entity, int l) => (ulong*)(entity + EntityLayout.EndWord(l));

    private ClosedBlock* Block(long* entity, int l) => (ClosedBlock*)(entity + layout.BlockWord(l));

    private int Count(long* entity, int l)
    {
        if (*EndWord(entity, l) == 0)
            return 0;
        var bytes = (byte*)(*EndWord(entity, l) & PointerMask) - (byte*)Block(entity, l)->First;
        return (int)((uint)(bytes / 8) / (uint)levels[l].TileWords);
    }

    private void SetCount(long* entity, int l, int count)
    {
        var block = Block(entity, l);
        var room = (ulong)Math.Min(MostRoom, block->Capacity - count);
        *EndWord(entity, l) = (ulong)(block->First + ((long)count * levels[l].TileWords)) | (room << RoomShift);
    }

    /// <summary>Room for one more tile: by dropping expired ones where they are a quarter of the block, else in a block of twice the size.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MakeRoom(long* entity, int l, long newestUs)
    {
        var level = levels[l];
        var block = Block(entity, l);
        var closed = Closed(entity, l);
        if (closed.Count < block->Capacity)
        {
            SetCount(entity, l, closed.Count); // more room than the end's word could say
            return;
        }

        var expired = closed.LowerBound(level.OldestStart(newestUs, program.AllowedLatenessUs));
        for (var i = 0; i < expired; i++)
            ReturnVariables(level, closed.Tile(i));
        var live = new ReadOnlySpan<long>(closed.Tile(expired), (closed.Count - expired) * level.TileWords);
        if (block->Capacity == 0 || expired * 4L < block->Capacity)
            Move(block, l, live, Math.Max(FirstCapacity, block->Capacity * 2));
        else
            live.CopyTo(new Span<long>(block->First, live.Length));
        SetCount(entity, l, closed.Count - expired);
    }

    private void Move(ClosedBlock* block, int l, ReadOnlySpan<long> live, long capacity)
    {
        var to = pool.Rent(l, capacity, levels[l].TileWords);
        live.CopyTo(new Span<long>(to, live.Length));
        if (block->Capacity > 0)
            pool.Return(l, block->Capacity, block->First);
        *block = new ClosedBlock { First = to, Capacity = capacity };
    }
}
