using System.Runtime.CompilerServices;
using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// The closed tiles of entities, by level in a ring: a tile that closes takes the place of the oldest one where that has expired, and only
/// where it is still to be read the ring grows. So the one place that is looked at is the one that is written, and a ring is no larger than
/// what its windows reach over. Late events find their tile or put it in between. The word of a ring packs its address (16-byte aligned, 44
/// bits), its size class and the oldest place, so that closing a tile reads one word. Not thread-safe.
/// </summary>
internal sealed unsafe class LevelTiles(ViewProgram program, VariablePool variables) : IDisposable
{
    private const int ClassShift = 44;
    private const int PlaceShift = 49;
    private const int AddressBits = 4;
    private const ulong AddressMask = (1UL << ClassShift) - 1;
    private const ulong ClassMask = (1UL << (PlaceShift - ClassShift)) - 1;
    private const ulong OnePlace = 1UL << PlaceShift;
    private const long Never = long.MinValue; // the start of a place that was not used yet

    private readonly Level[] levels = program.Levels;
    private readonly TilePool pool = new(program.Levels.Max(l => l.TileWords));

    public long MemoryBytes => pool.MemoryBytes;

    public ClosedTiles Closed(long* entity, int l)
    {
        var word = *RingWord(entity, l);
        var stride = levels[l].TileWords * 8;
        if (word == 0)
            return new ClosedTiles(new TileRun(null, 0, stride), new TileRun(null, 0, stride));
        var tiles = (byte*)TilesOf(word);
        var oldest = PlaceOf(word);
        return new ClosedTiles(new TileRun(tiles + ((long)oldest * stride), CapacityOf(word) - oldest, stride), new TileRun(tiles, oldest, stride));
    }

    /// <summary>Where the next tile goes, or null; only good for prefetching.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long* Next(long* entity, int l, int tileWords)
    {
        var word = *RingWord(entity, l);
        return TilesOf(word) + ((long)PlaceOf(word) * tileWords);
    }

    /// <summary>Room for a closed tile after all others, whose content (start included) the caller fills in.</summary>
    /// <param name="expiredUs">Tiles that start there or before can no longer be read.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long* Append(long* entity, int l, in LevelPlan plan, long expiredUs)
    {
        var ring = RingWord(entity, l);
        var tile = TilesOf(*ring) + ((long)PlaceOf(*ring) * plan.TileWords);
        if (tile == null || tile[0] > expiredUs)
            tile = Grow(entity, l);
        else if (plan.HasVariables)
            ReturnVariables(levels[l], tile);
        *ring = Advanced(*ring);
        return tile;
    }

    /// <summary>Places for that many closed tiles in a level that has none; they are ascending, and the caller fills them in.</summary>
    public long* AppendAll(long* entity, int l, int count)
    {
        if (count == 0)
            return null;
        var sizeClass = 0;
        while (TilePool.Capacity(sizeClass) <= count)
            sizeClass++;
        var tiles = NewRing(l, sizeClass, count);
        *RingWord(entity, l) = Pack(tiles, sizeClass, count);
        return tiles;
    }

    /// <summary>The closed tile with a start, put in where it is missing.</summary>
    public long* FindOrInsert(long* entity, int l, in LevelPlan plan, long startUs, long expiredUs)
    {
        var closed = Closed(entity, l);
        var at = closed.LowerBound(startUs);
        if (at < closed.Count && closed.Tile(at)[0] == startUs)
            return closed.Tile(at);
        Append(entity, l, in plan, expiredUs);
        closed = Closed(entity, l);
        at = closed.Count - 1;
        for (; at > 0 && closed.Tile(at - 1)[0] > startUs; at--)
            new ReadOnlySpan<long>(closed.Tile(at - 1), plan.TileWords).CopyTo(new Span<long>(closed.Tile(at), plan.TileWords));
        levels[l].Begin(closed.Tile(at), startUs);
        return closed.Tile(at);
    }

    /// <summary>Frees all closed tiles of a level.</summary>
    public void Clear(long* entity, int l)
    {
        var word = *RingWord(entity, l);
        if (word == 0)
            return;
        if (levels[l].Variables.Length > 0)
        {
            var closed = Closed(entity, l);
            for (var i = 0; i < closed.Count; i++)
                ReturnVariables(levels[l], closed.Tile(i));
        }

        pool.Return(TilesOf(word), ClassOf(word), levels[l].TileWords);
        *RingWord(entity, l) = 0;
    }

    public void ReturnVariables(Level level, long* tile)
    {
        for (var v = 0; v < level.Variables.Length; v++)
            variables.Return(ref tile[1 + level.LaneCount + v]);
    }

    public void Dispose() => pool.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* RingWord(long* entity, int l) => (ulong*)(entity + EntityLayout.RingWord(l));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long* TilesOf(ulong word) => (long*)((word & AddressMask) << AddressBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PlaceOf(ulong word) => (int)(word >> PlaceShift);

    private static int ClassOf(ulong word) => (int)((word >> ClassShift) & ClassMask);

    private static int CapacityOf(ulong word) => TilePool.Capacity(ClassOf(word));

    private static ulong Pack(long* tiles, int sizeClass, int place) =>
        ((ulong)tiles >> AddressBits) | ((ulong)sizeClass << ClassShift) | ((ulong)place << PlaceShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Advanced(ulong word)
    {
        var next = word + OnePlace;
        return PlaceOf(next) == CapacityOf(next) ? next & (OnePlace - 1) : next;
    }

    /// <summary>A larger ring with the tiles of the old one, all of which can still be read, in order; the first place after them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long* Grow(long* entity, int l)
    {
        var word = *RingWord(entity, l);
        var words = levels[l].TileWords;
        if (word == 0)
        {
            *RingWord(entity, l) = Pack(NewRing(l, 0, 0), 0, 0);
            return TilesOf(*RingWord(entity, l));
        }

        var closed = Closed(entity, l);
        var sizeClass = ClassOf(word) + 1;
        var tiles = NewRing(l, sizeClass, closed.Count);
        var older = closed.Older.Count * words;
        new ReadOnlySpan<long>(closed.Older.Tiles, older).CopyTo(new Span<long>(tiles, older));
        new ReadOnlySpan<long>(closed.Newer.Tiles, closed.Newer.Count * words).CopyTo(new Span<long>(tiles + older, closed.Newer.Count * words));
        pool.Return(TilesOf(word), ClassOf(word), words);
        *RingWord(entity, l) = Pack(tiles, sizeClass, closed.Count);
        return tiles + ((long)closed.Count * words);
    }

    /// <summary>A ring whose places from <paramref name="used"/> on are marked as not used yet.</summary>
    private long* NewRing(int l, int sizeClass, int used)
    {
        var level = levels[l];
        var tiles = pool.Rent(sizeClass, level.TileWords);
        for (var i = used; i < TilePool.Capacity(sizeClass); i++)
        {
            var tile = tiles + ((long)i * level.TileWords);
            tile[0] = Never;
            for (var v = 0; v < level.Variables.Length; v++)
                tile[1 + level.LaneCount + v] = 0;
        }

        return tiles;
    }
}
