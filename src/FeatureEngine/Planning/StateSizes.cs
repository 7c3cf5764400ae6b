using StreamMl.FeatureEngine.Tiles;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>Bytes of an entity's state in the store, by the layout of <see cref="StateFormat"/>.</summary>
internal sealed class StateSizes(ViewProgram program, PlanOptions options)
{
    private const int EntryHeader = 20;
    private const int EdgeHeader = 16;

    public long Worst => Bytes(typical: false);

    public long Typical => Bytes(typical: true);

    /// <summary>Tiles from the oldest that may still be read to the open one.</summary>
    public int TilesKept(Level level) =>
        level.IsLifetime ? 1 : (int)((level.WindowUs + program.AllowedLatenessUs + level.HopUs - 1) / level.HopUs) + 1;

    private long Bytes(bool typical)
    {
        long total = StateFormat.HeaderBytes;
        foreach (var level in program.Levels)
            total += 4 + (Tiles(level, typical) * (level.StoredTileBytes + VariableBytes(level, typical)));
        return total;
    }

    private long Tiles(Level level, bool typical)
    {
        long kept = TilesKept(level);
        if (!typical || level.IsLifetime)
            return kept;
        var gapUs = Math.Max(1, TimeGrid.ToMicros(options.TypicalEventGap));
        return Math.Min(kept, ((level.WindowUs + program.AllowedLatenessUs) / Math.Max(gapUs, level.HopUs)) + 1);
    }

    private long VariableBytes(Level level, bool typical)
    {
        var aggregations = program.View.Features
            .Where(f => HopOf(f.Window) == level.HopUs)
            .Select(f => f.Aggregation).Distinct();
        return aggregations.Sum(a => VariableBytes(a, typical));
    }

    private long VariableBytes(Aggregation aggregation, bool typical)
    {
        var isText = program.Columns.FirstOrDefault(c => c.Name == aggregation.Column)?.Type == FieldType.String;
        var value = isText ? options.TextBytes : 8;
        return aggregation.Function switch
        {
            AggregationNames.LastK => 4 + ((typical ? 1 : aggregation.Parameter ?? 1) * (long)(EntryHeader + value)),
            AggregationNames.CountDistinct => 4 + (Distinct(aggregation, typical) * (isText ? 16L : 8L)),
            AggregationNames.First or AggregationNames.Last when isText => 4 + EdgeHeader + value,
            AggregationNames.Min or AggregationNames.Max when isText => 4 + value,
            _ => 0,
        };
    }

    private int Distinct(Aggregation aggregation, bool typical)
    {
        var bound = aggregation.Parameter ?? Aggregates.Variable.DistinctCount.DefaultBound;
        return typical ? Math.Min(bound, options.TypicalDistinct) : bound;
    }

    private long HopOf(WindowDefinition window)
    {
        if (window is not TrailingWindow trailing)
            return 0;
        return program.View.Hop is { } hop ? TimeGrid.ToMicros(hop) : TimeGrid.DefaultHopUs(TimeGrid.ToMicros(trailing.Length));
    }
}
