using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Aggregates.Variable;
using StreamMl.FeatureEngine.Tiles;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Views;

/// <summary>A column that aggregations of a view read.</summary>
internal sealed record ProgramColumn(string Name, FieldType Type);

/// <summary>How an output is computed from the folded parts of its window.</summary>
internal enum ReadOutKind : byte
{
    RowCount,
    ValueCount,
    Sum,
    Mean,
    Min,
    Max,
    IntegerMin,
    IntegerMax,
    VariancePopulation,
    VarianceSample,
    StddevPopulation,
    StddevSample,
    Edge,
    TimeSinceLast,
    Variable,
}

/// <summary>One output column: where it goes and which part it is read from.</summary>
/// <param name="Column">Index among the view's outputs.</param>
/// <param name="Part">Index of the level's op, or of its variable aggregate for <see cref="ReadOutKind.Variable"/>.</param>
/// <param name="Index">Which value of a part that has several (last_k): 0 is the newest.</param>
internal readonly record struct OutputPlan(int Column, ReadOutKind Kind, int Part, int Index);

/// <summary>One window of a level and what is read over it.</summary>
/// <param name="WindowUs">Length; unused for the lifetime.</param>
/// <param name="Ops">The level's ops that the outputs need.</param>
/// <param name="Variables">The level's variable aggregates that the outputs need.</param>
internal sealed record WindowPlan(long WindowUs, int[] Ops, int[] Variables, OutputPlan[] Outputs);

/// <summary>
/// The tiles of one hop. A tile is its start (i64) and <see cref="LaneCount"/> lanes; in memory a handle follows for each variable
/// aggregate, in the store their bytes come after the tiles.
/// </summary>
internal sealed class Level
{
    /// <summary>0 for the lifetime: one tile that starts at 0.</summary>
    public required long HopUs { get; init; }

    /// <summary>The longest window on this hop.</summary>
    public required long WindowUs { get; init; }

    public required LaneOp[] Ops { get; init; }

    public required VariableAggregate[] Variables { get; init; }

    /// <summary>The column of each variable aggregate.</summary>
    public required int[] VariableColumns { get; init; }

    public required int LaneCount { get; init; }

    public required WindowPlan[] Windows { get; init; }

    /// <summary>The lanes of a tile that holds nothing.</summary>
    public long[] Identity { get; private set; } = [];

    /// <summary>Where tiles start.</summary>
    public HopGrid Grid { get; private set; }

    /// <summary>See <see cref="LaneFold.IsCountAndStatistics"/>.</summary>
    public bool IsCountAndStatistics { get; private set; }

    public bool IsLifetime => HopUs == 0;

    /// <summary>Bytes of a tile in the store, without its variable parts.</summary>
    public int StoredTileBytes => 8 * (1 + LaneCount);

    /// <summary>8-byte words of a tile in memory.</summary>
    public int TileWords => 1 + LaneCount + Variables.Length;

    /// <summary>Start of the tile that holds <paramref name="timeUs"/>.</summary>
    public long StartOf(long timeUs) => Grid.Floor(timeUs);

    /// <summary>Start of the oldest tile that can still be read by an entity whose newest event is at <paramref name="newestUs"/>; older ones are dropped.</summary>
    public long OldestStart(long newestUs, long allowedLatenessUs) => Grid.Floor(newestUs - allowedLatenessUs - WindowUs);

    /// <summary>Makes a tile in memory an empty one. What its variable parts held must have been moved or returned.</summary>
    public unsafe void Begin(long* tile, long startUs)
    {
        tile[0] = startUs;
        var at = tile + 1;
        foreach (var lane in Identity)
            *at++ = lane;
        for (var v = 0; v < Variables.Length; v++)
            *at++ = 0;
    }

    public unsafe Level Prepared()
    {
        Grid = new HopGrid(HopUs);
        IsCountAndStatistics = LaneFold.IsCountAndStatistics(Ops);
        Identity = new long[LaneCount];
        fixed (long* lanes = Identity)
        {
            foreach (var op in Ops)
                Lanes.Init(op, lanes);
        }

        return this;
    }
}
