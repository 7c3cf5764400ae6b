using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// An entity's block in memory, in 8-byte words: newest event time, last offset, then per level its open (newest) tile, then per level where
/// its closed tiles are (pointer, oldest start, head and count, capacity). What every event touches lies together at the front.
/// </summary>
internal sealed class EntityLayout
{
    public const int NewestWord = 0;
    public const int LastOffsetWord = 1;
    public const int ClosedWords = 4;
    private const int FirstTileWord = 2;

    public EntityLayout(IReadOnlyList<Level> levels)
    {
        OpenWord = new int[levels.Count];
        ClosedWord = new int[levels.Count];
        var at = FirstTileWord;
        for (var i = 0; i < levels.Count; i++)
        {
            OpenWord[i] = at;
            at += levels[i].TileWords;
        }

        for (var i = 0; i < levels.Count; i++)
        {
            ClosedWord[i] = at;
            at += ClosedWords;
        }

        Words = at;
    }

    /// <summary>By level: the word of the open tile.</summary>
    public int[] OpenWord { get; }

    /// <summary>By level: the first of the words about closed tiles.</summary>
    public int[] ClosedWord { get; }

    public int Words { get; }
}

/// <summary>The closed tiles of one level of one entity: a growing run, ascending, whose expired head is dropped lazily.</summary>
internal unsafe struct ClosedTiles
{
    public long* Block;

    /// <summary>Start of the first tile, kept here so that looking for expired tiles touches no tile; meaningless where Count is 0.</summary>
    public long OldestStart;
    public int Head;
    public int Count;
    public int Capacity;
    public int Unused;

    public readonly long* Tile(int i, int tileWords) => Block + ((long)(Head + i) * tileWords);
}
