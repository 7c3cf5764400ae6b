using StreamMl.FeatureEngine.Aggregates;
using StreamMl.FeatureEngine.Aggregates.Variable;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Tiles;

/// <summary>A read: for each window the left fold of its tiles in time order, then the read-out of each output. The only place where a value is made.</summary>
internal static unsafe class StateFold
{
    private const long None = long.MinValue;

    [ThreadStatic]
    private static VariableState? accumulator;

    public static ReadInfo Read<TTiles>(
        ViewProgram program, ref TTiles tiles, long newestUs, long lastOffset, long asOfUs, long watermarkUs, FeatureRow into, int firstColumn)
        where TTiles : struct, ITileSource, allows ref struct
    {
        if (newestUs == None || IsForgotten(program, newestUs, watermarkUs))
        {
            ReadEmpty(program, into, firstColumn);
            return new ReadInfo(asOfUs, None, -1, IsEmpty: true);
        }

        var timeUs = Math.Max(asOfUs, newestUs - program.AllowedLatenessUs);
        for (var l = 0; l < program.Levels.Length; l++)
        {
            var level = program.Levels[l];
            tiles.Enter(l, out var runs);
            foreach (var window in level.Windows)
                ReadWindow(level, window, ref tiles, in runs, timeUs, into, firstColumn);
        }

        return new ReadInfo(timeUs, newestUs, lastOffset, IsEmpty: false);
    }

    private static bool IsForgotten(ViewProgram program, long newestUs, long watermarkUs) =>
        program.ForgetAfterUs is { } after && watermarkUs != None && watermarkUs - newestUs > after;

    private static void ReadEmpty(ViewProgram program, FeatureRow into, int firstColumn)
    {
        foreach (var level in program.Levels)
        {
            fixed (long* identity = level.Identity)
            {
                foreach (var window in level.Windows)
                {
                    foreach (var output in window.Outputs)
                    {
                        if (output.Kind == ReadOutKind.Variable)
                            level.Variables[output.Part].ReadOut(default, into, firstColumn + output.Column, output.Index);
                        else
                            ReadOut.Write(level.Ops[output.Part], output.Kind, identity, 0, into, firstColumn + output.Column);
                    }
                }
            }
        }
    }

    private static void ReadWindow<TTiles>(
        Level level, WindowPlan window, ref TTiles tiles, in TileRuns all, long timeUs, FeatureRow into, int firstColumn)
        where TTiles : struct, ITileSource, allows ref struct
    {
        var from = level.IsLifetime ? None : level.StartOf(timeUs - window.WindowUs);
        var to = level.IsLifetime ? long.MaxValue : level.StartOf(timeUs);
        var runs = all.Between(from, to);
        var lanes = stackalloc long[level.LaneCount];
        for (var i = 0; i < level.Identity.Length; i++)
            lanes[i] = level.Identity[i];
        FoldParts(level, window, lanes, in runs);
        foreach (ref readonly var output in window.Outputs.AsSpan())
        {
            if (output.Kind != ReadOutKind.Variable)
                ReadOut.Write(in level.Ops[output.Part], output.Kind, lanes, timeUs, into, firstColumn + output.Column);
        }

        if (window.Variables.Length > 0)
            ReadVariables(level, window, ref tiles, in all, in runs, into, firstColumn);
    }

    private static void FoldParts(Level level, WindowPlan window, long* lanes, in TileRuns runs)
    {
        if (level.IsCountAndStatistics)
        {
            LaneFold.FoldCountAndStatistics(lanes, in runs);
            return;
        }

        foreach (var part in window.Ops)
        {
            ref readonly var op = ref level.Ops[part];
            LaneFold.Fold(in op, lanes, runs.Older);
            LaneFold.Fold(in op, lanes, runs.Newer);
            LaneFold.Fold(in op, lanes, runs.Open);
        }
    }

    private static void ReadVariables<TTiles>(
        Level level, WindowPlan window, ref TTiles tiles, in TileRuns all, in TileRuns runs, FeatureRow into, int firstColumn)
        where TTiles : struct, ITileSource, allows ref struct
    {
        var state = accumulator ??= new VariableState();
        foreach (var part in window.Variables)
        {
            state.Clear();
            Merge(level, part, ref tiles, state, runs.Older, all.Older, 0);
            Merge(level, part, ref tiles, state, runs.Newer, all.Newer, all.Older.Count);
            Merge(level, part, ref tiles, state, runs.Open, all.Open, all.Older.Count + all.Newer.Count);
            foreach (var output in window.Outputs)
            {
                if (output.Kind == ReadOutKind.Variable && output.Part == part)
                    level.Variables[part].ReadOut(state.Span, into, firstColumn + output.Column, output.Index);
            }
        }
    }

    private static void Merge<TTiles>(Level level, int part, ref TTiles tiles, VariableState state, TileRun run, TileRun all, int before)
        where TTiles : struct, ITileSource, allows ref struct
    {
        if (run.Count == 0)
            return;
        var first = before + (int)((run.Tiles - all.Tiles) / run.StrideBytes);
        for (var i = 0; i < run.Count; i++)
            level.Variables[part].Merge(state, tiles.Variable(first + i, part));
    }
}
