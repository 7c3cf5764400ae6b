using StreamMl.FeatureEngine.Views;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>What every event needs to know of a level, flat and without references.</summary>
internal struct LevelPlan
{
    public HopGrid Grid;

    /// <summary>A tile holds times from its start to this much later, unsigned; for the lifetime all times, those before 1970 too.</summary>
    public ulong LastUs;

    /// <summary>
    /// Once an entity has an event this much after the start of a tile, no window can read the tile any more:
    /// start &lt; floor(M - L - W, g) where and only where start + g &lt;= M - L - W, as both sides of the first are multiples of g.
    /// </summary>
    public long KeptForUs;

    public int OpenWord;
    public int TileWords;

    /// <summary>Column of the statistics where the tile is a row count and count, sum, min, max of one column: by far the most common; -1 otherwise.</summary>
    public int StatisticsColumn;

    /// <summary>Its tiles keep the same as those of the level below, so the two may share an open tile.</summary>
    public bool SharesBelow;

    public bool HasVariables;

    /// <summary>In pinned memory; the array must be kept.</summary>
    public static LevelPlan[] All(ViewProgram program, EntityLayout layout)
    {
        var levels = program.Levels;
        var plans = GC.AllocateArray<LevelPlan>(levels.Length, pinned: true);
        for (var l = 0; l < levels.Length; l++)
        {
            var level = levels[l];
            if (l > 0 && !level.IsLifetime && level.HopUs % levels[l - 1].HopUs != 0)
                throw new InvalidOperationException($"hop {level.HopUs} us of view '{program.View.Name}' is no multiple of {levels[l - 1].HopUs} us: hops of a view must nest");
            plans[l] = new LevelPlan
            {
                Grid = level.Grid,
                LastUs = level.IsLifetime ? ulong.MaxValue : (ulong)level.HopUs - 1,
                KeptForUs = level.IsLifetime ? long.MaxValue : level.WindowUs + program.AllowedLatenessUs + level.HopUs,
                OpenWord = layout.OpenWord[l],
                TileWords = level.TileWords,
                StatisticsColumn = StatisticsColumnOf(level),
                SharesBelow = l > 0 && level.Variables.Length == 0 && levels[l - 1].Variables.Length == 0 && level.Ops.AsSpan().SequenceEqual(levels[l - 1].Ops),
                HasVariables = level.Variables.Length > 0,
            };
        }

        return plans;
    }

    private static int StatisticsColumnOf(Level level) =>
        level.Variables.Length == 0 && level.IsCountAndStatistics ? level.Ops[1].Column : -1;
}
