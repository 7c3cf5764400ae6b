using System.Runtime.CompilerServices;
using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// The open tiles of entities: of each level the one that holds the entity's newest event. Hops nest, so an event that opens a tile on one
/// level opens one on every finer level too, and all of these hold that event alone: they are the same but for their start. They are
/// therefore stored once, in the place of the finest (levels without the own bit have the content of the next level below that has it),
/// until an event opens a new tile on some of them only. So most entities, which have few events, are updated and closed in one or two
/// places instead of one per level. Not thread-safe.
/// </summary>
internal sealed unsafe class OpenTiles
{
    private readonly Level[] levels;
    private readonly LevelTiles closed;
    private readonly LevelPlan[] kept;
    private readonly LevelPlan* plans;

    public OpenTiles(ViewProgram program, EntityLayout layout, LevelTiles closed)
    {
        levels = program.Levels;
        this.closed = closed;
        kept = LevelPlan.All(program, layout);
        plans = (LevelPlan*)Unsafe.AsPointer(ref kept[0]);
        AllOwn = (1L << levels.Length) - 1;
    }

    public LevelPlan* Plans => plans;

    /// <summary>The own bits of all levels: nothing is shared.</summary>
    public long AllOwn { get; }

    /// <summary>Opens the tiles of <paramref name="timeUs"/> on the finest <paramref name="count"/> levels; what was there is gone.</summary>
    public void Begin(long* entity, int count, long timeUs)
    {
        var own = entity[EntityLayout.OwnWord];
        for (var l = 0; l < count; l++)
        {
            if (plans[l].SharesBelow)
            {
                own &= ~(1L << l);
                continue;
            }

            own |= 1L << l;
            levels[l].Begin(entity + plans[l].OpenWord, plans[l].Grid.Floor(timeUs));
        }

        entity[EntityLayout.OwnWord] = own;
    }

    /// <summary>Closes the tiles that end at or before <paramref name="timeUs"/>, which is past the finest open tile, and opens those that hold it.</summary>
    public void Advance(long* entity, long timeUs)
    {
        var own = entity[EntityLayout.OwnWord];
        var tile = entity + plans[0].OpenWord;
        var startUs = tile[0];
        var l = 0;
        for (; l < levels.Length; l++)
        {
            ref var plan = ref plans[l];
            var isOwn = (own >> l & 1) != 0;
            if (isOwn)
                tile = entity + plan.OpenWord;
            startUs = isOwn ? tile[0] : plan.Grid.Floor(startUs);
            if ((ulong)(timeUs - startUs) <= plan.LastUs)
                break;
            Close(entity, l, tile, startUs, timeUs);
        }

        // The tile that stays must not go with the shared one below it.
        if (l < levels.Length && (own >> l & 1) == 0)
        {
            Copy(tile, startUs, entity + plans[l].OpenWord, plans[l].TileWords);
            entity[EntityLayout.OwnWord] = own | (1L << l);
        }

        Begin(entity, l, timeUs);
    }

    /// <summary>Puts every open tile in its place, for whoever looks at them; sharing goes on.</summary>
    public void Settle(long* entity)
    {
        var own = entity[EntityLayout.OwnWord];
        for (var l = 1; own != AllOwn && l < levels.Length; l++)
        {
            if ((own >> l & 1) != 0)
                continue;
            var below = entity + plans[l - 1].OpenWord;
            Copy(below, plans[l].Grid.Floor(below[0]), entity + plans[l].OpenWord, plans[l].TileWords);
        }
    }

    /// <summary>Puts every open tile in its place and ends the sharing, so that each can be changed alone.</summary>
    public void Separate(long* entity)
    {
        Settle(entity);
        entity[EntityLayout.OwnWord] = AllOwn;
    }

    /// <summary>Frees what the open tiles hold.</summary>
    public void Clear(long* entity)
    {
        for (var l = 0; l < levels.Length; l++)
        {
            if (plans[l].HasVariables)
                closed.ReturnVariables(levels[l], entity + plans[l].OpenWord);
        }

        entity[EntityLayout.OwnWord] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Close(long* entity, int l, long* tile, long startUs, long newestUs)
    {
        var expiredUs = newestUs - plans[l].KeptForUs;
        if (startUs > expiredUs)
            Copy(tile, startUs, closed.Append(entity, l, in plans[l], expiredUs), plans[l].TileWords);
        else if (plans[l].HasVariables)
            closed.ReturnVariables(levels[l], tile);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(long* from, long startUs, long* to, int words)
    {
        to[0] = startUs;
        for (var i = 1; i < words; i++)
            to[i] = from[i];
    }
}
