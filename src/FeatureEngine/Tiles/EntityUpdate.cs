using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Aggregates.Variable;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>Takes one row into one entity: the hot path of the stream and of backfills. Not thread-safe.</summary>
internal sealed unsafe class EntityUpdate : IDisposable
{
    private const long None = long.MinValue;

    private readonly ViewProgram program;
    private readonly Level[] levels;
    private readonly LevelTiles closed;
    private readonly OpenTiles open;
    private readonly VariablePool variables;
    private readonly LevelPlan* plans;
    private readonly RowValue* row;
    private readonly long forgetAfterUs;

    public EntityUpdate(ViewProgram program, OpenTiles open, LevelTiles closed, VariablePool variables)
    {
        (this.program, this.open, this.closed, this.variables) = (program, open, closed, variables);
        levels = program.Levels;
        plans = open.Plans;
        forgetAfterUs = program.ForgetAfterUs ?? long.MaxValue;
        row = (RowValue*)NativeMemory.AllocZeroed((nuint)Math.Max(1, program.Columns.Count), (nuint)sizeof(RowValue));
    }

    /// <summary>Takes a row in; false where it is too late for every level.</summary>
    public bool Apply(long* entity, ViewInput input, int rowIndex)
    {
        var batch = input.Batch;
        var eventTimeUs = batch.EventTimesUs[rowIndex];
        var offset = batch.Offsets[rowIndex];
        input.Gather(rowIndex, row);
        Forget(entity, batch.WatermarksUs[rowIndex]);
        var newest = entity[EntityLayout.NewestWord];
        if (newest == None)
        {
            open.Begin(entity, levels.Length, eventTimeUs);
        }
        else if ((ulong)(eventTimeUs - entity[plans[0].OpenWord]) > plans[0].LastUs)
        {
            // Not in the finest open tile. In that one, it would be in the open tiles of all levels, as hops nest.
            if (eventTimeUs < newest)
                return ApplyBack(entity, input, rowIndex, eventTimeUs, offset);
            open.Advance(entity, eventTimeUs);
        }

        for (var own = entity[EntityLayout.OwnWord]; own != 0; own &= own - 1)
        {
            var l = (int)long.TrailingZeroCount(own);
            Update(l, entity + plans[l].OpenWord, input, rowIndex, eventTimeUs, offset);
        }

        entity[EntityLayout.NewestWord] = Math.Max(newest, eventTimeUs);
        entity[EntityLayout.LastOffsetWord] = offset;
        return true;
    }

    /// <summary>Makes an entity empty and frees what it held.</summary>
    public void Reset(long* entity)
    {
        if (entity[EntityLayout.NewestWord] == None)
            return;
        open.Clear(entity);
        for (var l = 0; l < levels.Length; l++)
            closed.Clear(entity, l);
        entity[EntityLayout.NewestWord] = None;
        entity[EntityLayout.LastOffsetWord] = -1;
    }

    /// <summary>Touches what an event will need beside the first lines of its entity, which should be in the cache by now: open tiles and the next places of closed ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(long* entity, long eventTimeUs)
    {
        for (var own = entity[EntityLayout.OwnWord] & ~1L; own != 0; own &= own - 1)
        {
            var l = (int)long.TrailingZeroCount(own);
            Sse.Prefetch0(entity + plans[l].OpenWord);
            Sse.Prefetch0(entity + plans[l].OpenWord + plans[l].TileWords - 1);
        }

        var idleUs = eventTimeUs - entity[EntityLayout.NewestWord];
        for (var l = 0; l < levels.Length && (ulong)idleUs > plans[l].LastUs / 4; l++)
        {
            if (idleUs < plans[l].KeptForUs)
                Sse.Prefetch0(LevelTiles.Next(entity, l, plans[l].TileWords));
        }
    }

    public void Dispose() => NativeMemory.Free(row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Forget(long* entity, long watermarkUs)
    {
        var newest = entity[EntityLayout.NewestWord];
        if (newest != None && watermarkUs != None && watermarkUs - newest > forgetAfterUs)
            Reset(entity);
    }

    /// <summary>An event before the finest open tile: each level finds its own tile, or takes it as too late.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ApplyBack(long* entity, ViewInput input, int rowIndex, long eventTimeUs, long offset)
    {
        open.Separate(entity);
        var newest = entity[EntityLayout.NewestWord];
        var applied = false;
        for (var l = 0; l < levels.Length; l++)
        {
            var tile = entity + plans[l].OpenWord;
            var start = plans[l].Grid.Floor(eventTimeUs);
            if (start != tile[0])
                tile = start < levels[l].OldestStart(newest, program.AllowedLatenessUs) ? null : closed.FindOrInsert(entity, l, in plans[l], start, newest - plans[l].KeptForUs);
            if (tile == null)
                continue;
            applied = true;
            Update(l, tile, input, rowIndex, eventTimeUs, offset);
        }

        if (applied)
            entity[EntityLayout.LastOffsetWord] = offset;
        return applied;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Update(int l, long* tile, ViewInput input, int rowIndex, long eventTimeUs, long offset)
    {
        if (plans[l].StatisticsColumn >= 0)
            Lanes.UpdateCountAndStatistics(tile + 1, row + plans[l].StatisticsColumn);
        else
            UpdateParts(levels[l], tile, input, rowIndex, eventTimeUs, offset);
    }

    private void UpdateParts(Level level, long* tile, ViewInput input, int rowIndex, long eventTimeUs, long offset)
    {
        foreach (ref readonly var op in level.Ops.AsSpan())
            Lanes.Update(in op, tile + 1, row, eventTimeUs, offset);
        var handles = tile + 1 + level.LaneCount;
        for (var v = 0; v < level.Variables.Length; v++)
        {
            var column = level.VariableColumns[v];
            if (column >= 0 && row[column].Present == 0)
                continue;
            var text = column >= 0 && program.Columns[column].Type == FieldType.String ? input.Text(column, rowIndex) : default;
            var lane = column >= 0 ? row[column].Lane : 0;
            level.Variables[v].Update(variables.Get(ref handles[v]), new VariableInput(eventTimeUs, offset, lane, text));
        }
    }
}
