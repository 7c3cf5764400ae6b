using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>
/// <see cref="EntityUpdate"/> for the most common views, whose levels all keep a row count and count, sum, min, max of one column: the same
/// updates in the same order, with the row in registers and tiles moved whole. What is rare (an entity's first event, one that comes late or is
/// forgotten) is left to the general update. Not thread-safe.
/// </summary>
internal sealed unsafe class StatisticsUpdate(ViewProgram program, EntityTable entities, OpenTiles open, LevelTiles closed, EntityUpdate general)
{
    private const int TileWords = 6;

    // A miss takes as long as some ten events: first the entity's own lines, then what those point to.
    private const int FarAhead = 20;
    private const int NearAhead = 10;
    private const long None = long.MinValue;

    private readonly int levelCount = program.Levels.Length;
    private readonly LevelPlan* plans = open.Plans;
    private readonly long forgetAfterUs = program.ForgetAfterUs ?? long.MaxValue;

    /// <summary>Whether the view is one of those.</summary>
    public static bool IsFor(OpenTiles open, int levelCount)
    {
        for (var l = 0; l < levelCount; l++)
        {
            ref readonly var plan = ref open.Plans[l];
            if (plan.StatisticsColumn < 0 || plan.TileWords != TileWords || (l > 0 && !plan.SharesBelow))
                return false;
        }

        return true;
    }

    /// <summary>As <see cref="ViewStates.Apply(ViewInput, int, int, ReadOnlySpan{int}, Span{RowOutcome})"/>.</summary>
    public void Apply(ViewInput input, int fromRow, int toRow, ReadOnlySpan<int> ids, Span<RowOutcome> outcomes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(toRow, ids.Length);
        fixed (int* idOf = ids)
            Apply(input, fromRow, toRow, idOf, null, outcomes);
    }

    /// <summary>As <see cref="ViewStates.Apply(ViewInput, int, int, int, Span{RowOutcome})"/>.</summary>
    public void Apply(ViewInput input, int fromRow, int toRow, int id, Span<RowOutcome> outcomes) =>
        Apply(input, fromRow, toRow, null, entities.Entity(id), outcomes);

    /// <param name="idOf">The id of each row's entity, or null: then all rows are of <paramref name="only"/>.</param>
    private void Apply(ViewInput input, int fromRow, int toRow, int* idOf, long* only, Span<RowOutcome> outcomes)
    {
        var batch = input.Batch;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(toRow, Math.Min(batch.Count, outcomes.Length));
        ArgumentOutOfRangeException.ThrowIfNegative(fromRow);
        var column = input.Aggregated(plans[0].StatisticsColumn);
        var isReal = column.Type == FieldType.Float64;
        fixed (long* keys = input.KeyLanes, times = batch.EventTimesUs, offsets = batch.Offsets, watermarks = batch.WatermarksUs, lanes = column.Lanes)
        fixed (byte* valid = column.Valid)
        fixed (RowOutcome* outcome = outcomes)
        {
            for (var i = fromRow; i < toRow; i++)
            {
                if (Sse.IsSupported && idOf != null && i + FarAhead < toRow)
                    Prefetch(idOf, keys, times, i);
                if (keys[i] < 0)
                {
                    outcome[i] = RowOutcome.Filtered;
                    continue;
                }

                var x = isReal ? BitConverter.Int64BitsToDouble(lanes[i]) + 0.0 : lanes[i];
                var isPresent = valid[i] != 0 && !double.IsNaN(x);
                var entity = idOf != null ? entities.Entity(idOf[i]) : only;
                outcome[i] = TryApply(entity, times[i], offsets[i], watermarks[i], x, isPresent) || general.Apply(entity, input, i) ? RowOutcome.Applied : RowOutcome.Late;
            }
        }
    }

    /// <summary>False, and nothing is changed, where the general update must do it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryApply(long* entity, long eventTimeUs, long offset, long watermarkUs, double x, bool isPresent)
    {
        var newest = entity[EntityLayout.NewestWord];
        if (newest == None || (watermarkUs != None && watermarkUs - newest > forgetAfterUs))
            return false;
        if ((ulong)(eventTimeUs - entity[plans[0].OpenWord]) <= plans[0].LastUs)
        {
            TakeAll(entity, entity[EntityLayout.OwnWord], x, isPresent);
            newest = Math.Max(newest, eventTimeUs);
        }
        else
        {
            if (eventTimeUs < newest)
                return false;
            Advance(entity, eventTimeUs, x, isPresent);
            newest = eventTimeUs;
        }

        entity[EntityLayout.NewestWord] = newest;
        entity[EntityLayout.LastOffsetWord] = offset;
        return true;
    }

    /// <summary>As <see cref="OpenTiles.Advance"/>, and takes in the event: it is alone in the tiles that it opens.</summary>
    private void Advance(long* entity, long timeUs, double x, bool isPresent)
    {
        var own = entity[EntityLayout.OwnWord];
        var tile = entity + plans[0].OpenWord;
        var startUs = tile[0];
        var l = 0;
        do
        {
            var expiredUs = timeUs - plans[l].KeptForUs;
            if (startUs > expiredUs)
                Move(tile, startUs, closed.Append(entity, l, in plans[l], expiredUs));
            if (++l == levelCount)
                break;
            var isOwn = (own >> l & 1) != 0;
            tile = isOwn ? entity + plans[l].OpenWord : tile;
            startUs = isOwn ? tile[0] : plans[l].Grid.Floor(startUs);
        }
        while ((ulong)(timeUs - startUs) > plans[l].LastUs);

        // The tile that stays must not go with the shared one below it.
        if (l < levelCount && (own >> l & 1) == 0)
            Move(tile, startUs, entity + plans[l].OpenWord);
        var kept = (own | (1L << l)) & open.AllOwn & (-1L << l);
        entity[EntityLayout.OwnWord] = kept | 1;
        Begin(entity + plans[0].OpenWord, plans[0].Grid.Floor(timeUs), x, isPresent);
        TakeAll(entity, kept, x, isPresent);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void TakeAll(long* entity, long own, double x, bool isPresent)
    {
        for (; own != 0; own &= own - 1)
            Take(entity + plans[(int)long.TrailingZeroCount(own)].OpenWord, x, isPresent);
    }

    /// <summary>As <see cref="Aggregates.Lanes.UpdateCountAndStatistics"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(long* tile, double x, bool isPresent)
    {
        tile[1]++;
        if (!isPresent)
            return;
        tile[2]++;
        var values = (double*)tile;
        values[3] += x;
        values[4] = double.MinNative(x, values[4]);
        values[5] = double.MaxNative(x, values[5]);
    }

    /// <summary>A tile that holds one row alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Begin(long* tile, long startUs, double x, bool isPresent)
    {
        var values = (double*)tile;
        tile[0] = startUs;
        tile[1] = 1;
        tile[2] = isPresent ? 1 : 0;
        values[3] = isPresent ? x : 0;
        values[4] = isPresent ? x : double.PositiveInfinity;
        values[5] = isPresent ? x : double.NegativeInfinity;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Move(long* from, long startUs, long* to)
    {
        Vector128.Load(from).WithElement(0, startUs).Store(to);
        Vector128.Load(from + 2).Store(to + 2);
        Vector128.Load(from + 4).Store(to + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Prefetch(int* idOf, long* keys, long* times, int i)
    {
        if (keys[i + FarAhead] >= 0)
            entities.Prefetch(idOf[i + FarAhead]);
        if (keys[i + NearAhead] >= 0)
            general.Prefetch(entities.Entity(idOf[i + NearAhead]), times[i + NearAhead]);
    }
}
