namespace StreamMl.FeatureEngine.Aggregates;

/// <summary>
/// The fixed-size parts that aggregations are made of. Each is a monoid over a few 8-byte lanes of a tile: <see cref="Lanes.Init"/> is its
/// identity, <see cref="Lanes.Update"/> takes in one value, <see cref="LaneFold"/> merges tiles from left to right. Parts of any size
/// (strings, sets, lists) are <see cref="Variable.VariableAggregate"/>.
/// </summary>
internal enum LaneOpKind : byte
{
    /// <summary>Rows. Lane: count.</summary>
    RowCount,

    /// <summary>Values of a numeric column. Lanes: count of values, then as asked for sum, min, max (doubles).</summary>
    Stats,

    /// <summary>Least and greatest of an integer column. Lanes: count of values, min, max (integers).</summary>
    IntegerRange,

    /// <summary>Count, mean and sum of squared deviations (Welford; merged by Chan et al. 1979). Lanes: n, mean, m2.</summary>
    Moments,

    /// <summary>Value with the least (event time, offset). Lanes: event time, offset (-1: none), value.</summary>
    First,

    /// <summary>Value with the greatest (event time, offset). Lanes as <see cref="First"/>.</summary>
    Last,

    /// <summary>Greatest event time of a row with a value. Lane: event time, long.MinValue: none.</summary>
    LastTime,
}

/// <summary>Which lanes a <see cref="LaneOpKind.Stats"/> keeps beside its count.</summary>
[Flags]
internal enum StatsParts : byte
{
    None = 0,
    Sum = 1,
    Min = 2,
    Max = 4,
}

/// <summary>One part of a tile: what it keeps, of which column, and where its first lane is.</summary>
/// <param name="Column">Index into the program's columns; -1 for rows.</param>
internal readonly record struct LaneOp(LaneOpKind Kind, int Column, int Lane, StatsParts Parts = StatsParts.None)
{
    public int Width => Kind switch
    {
        LaneOpKind.RowCount or LaneOpKind.LastTime => 1,
        LaneOpKind.Stats => 1 + int.PopCount((int)Parts),
        _ => 3,
    };

    public int SumLane => Lane + 1;

    public int MinLane => Lane + 1 + ((Parts & StatsParts.Sum) != 0 ? 1 : 0);

    public int MaxLane => Lane + Width - 1;
}
