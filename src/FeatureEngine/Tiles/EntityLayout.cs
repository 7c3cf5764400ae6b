using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// An entity's block in memory, in 8-byte words: newest event time, last offset, which open tiles are stored on their own, per level the end
/// of its closed tiles; then the open tiles; then per level where its closed tiles begin. With up to five levels the first part is one
/// cache line, and blocks are whole lines: an event touches that line, the open tiles that differ, and the end of what it closes.
/// </summary>
internal sealed class EntityLayout
{
    public const int NewestWord = 0;
    public const int LastOffsetWord = 1;

    /// <summary>Bit l: the open tile of level l is in its place; otherwise it has the content of the level below (see <see cref="OpenTiles"/>).</summary>
    public const int OwnWord = 2;

    private const int FirstEndWord = 3;
    private const int BlockWords = 2;
    private const int LineWords = 8;

    public EntityLayout(IReadOnlyList<Level> levels)
    {
        var at = FirstEndWord + levels.Count;
        OpenWord = new int[levels.Count];
        for (var l = 0; l < levels.Count; l++)
        {
            OpenWord[l] = at;
            at += levels[l].TileWords;
        }

        FirstBlockWord = at;
        at += BlockWords * levels.Count;
        Words = (at + LineWords - 1) / LineWords * LineWords;
    }

    /// <summary>By level: the word of the open tile.</summary>
    public int[] OpenWord { get; }

    public int Words { get; }

    private int FirstBlockWord { get; }

    /// <summary>The word that says where the level's closed tiles end, and how many more have room there.</summary>
    public static int EndWord(int level) => FirstEndWord + level;

    /// <summary>The first of the words about the level's block of closed tiles.</summary>
    public int BlockWord(int level) => FirstBlockWord + (BlockWords * level);
}

/// <summary>The block that holds the closed tiles of one level of one entity, ascending.</summary>
internal unsafe struct ClosedBlock
{
    public long* First;

    /// <summary>Tiles that it has room for; a power of two, or 0 where there is no block.</summary>
    public long Capacity;
}

/// <summary>The closed tiles of one level of one entity. Expired ones stay at the front until their room is needed.</summary>
internal readonly unsafe struct ClosedTiles(long* first, int count, int tileWords)
{
    public readonly int Count = count;

    public long* Tile(int i) => first + ((long)i * tileWords);

    /// <summary>Those with start >= <paramref name="startUs"/>: mostly all.</summary>
    public ClosedTiles From(long startUs)
    {
        if (Count == 0 || first[0] >= startUs)
            return this;
        var skipped = LowerBound(startUs);
        return new ClosedTiles(Tile(skipped), Count - skipped, tileWords);
    }

    /// <summary>Index of the first tile with start >= <paramref name="startUs"/>.</summary>
    public int LowerBound(long startUs) => new Aggregates.TileRun((byte*)first, Count, tileWords * 8).LowerBound(startUs);
}
