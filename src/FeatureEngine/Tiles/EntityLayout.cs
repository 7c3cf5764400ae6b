using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// An entity's block in memory, in 8-byte words: newest event time, last offset, which open tiles are stored on their own, per level the
/// word of its ring of closed tiles (see <see cref="LevelTiles"/>); then the open tiles. With up to five levels the first part is one cache
/// line, and blocks are whole lines: an event touches that line, the open tiles that differ, and the place of what it closes.
/// </summary>
internal sealed class EntityLayout
{
    public const int NewestWord = 0;
    public const int LastOffsetWord = 1;

    /// <summary>Bit l: the open tile of level l is in its place; otherwise it has the content of the level below (see <see cref="OpenTiles"/>).</summary>
    public const int OwnWord = 2;

    private const int FirstRingWord = 3;
    private const int LineWords = 8;

    public EntityLayout(IReadOnlyList<Level> levels)
    {
        var at = FirstRingWord + levels.Count;
        OpenWord = new int[levels.Count];
        for (var l = 0; l < levels.Count; l++)
        {
            OpenWord[l] = at;
            at += levels[l].TileWords;
        }

        Words = (at + LineWords - 1) / LineWords * LineWords;
    }

    /// <summary>By level: the word of the open tile.</summary>
    public int[] OpenWord { get; }

    public int Words { get; }

    /// <summary>The word of the level's ring of closed tiles.</summary>
    public static int RingWord(int level) => FirstRingWord + level;
}

/// <summary>
/// The closed tiles of one level of one entity, ascending, in a ring: the newer ones lie before the older ones. Places that were never used
/// and expired tiles are the oldest of all.
/// </summary>
internal readonly unsafe struct ClosedTiles(TileRun older, TileRun newer)
{
    public readonly TileRun Older = older;
    public readonly TileRun Newer = newer;

    public int Count => Older.Count + Newer.Count;

    public long* Tile(int i) => (long*)(i < Older.Count ? Older.Tile(i) : Newer.Tile(i - Older.Count));

    /// <summary>Those with start >= <paramref name="startUs"/>.</summary>
    public ClosedTiles From(long startUs) => new(Older.From(startUs), Newer.From(startUs));

    /// <summary>Index of the first tile with start >= <paramref name="startUs"/>.</summary>
    public int LowerBound(long startUs)
    {
        var at = Older.LowerBound(startUs);
        return at < Older.Count ? at : at + Newer.LowerBound(startUs);
    }
}
