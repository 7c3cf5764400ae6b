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
            tiles.Enter(l, out var closed, out var open);
            foreach (var window in level.Windows)
                ReadWindow(level, window, ref tiles, closed, open, timeUs, into, firstColumn);
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
        Level level, WindowPlan window, ref TTiles tiles, TileRun allClosed, TileRun allOpen, long timeUs, FeatureRow into, int firstColumn)
        where TTiles : struct, ITileSource, allows ref struct
    {
        var from = level.IsLifetime ? None : level.StartOf(timeUs - window.WindowUs);
        var to = level.IsLifetime ? long.MaxValue : level.StartOf(timeUs);
        var closed = allClosed.Between(from, to);
        var open = allOpen.Between(from, to);
        var lanes = stackalloc long[level.LaneCount];
        for (var i = 0; i < level.Identity.Length; i++)
            lanes[i] = level.Identity[i];
        FoldParts(level, window, lanes, closed, open);
        foreach (ref readonly var output in window.Outputs.AsSpan())
        {
            if (output.Kind != ReadOutKind.Variable)
                ReadOut.Write(in level.Ops[output.Part], output.Kind, lanes, timeUs, into, firstColumn + output.Column);
        }

        if (window.Variables.Length > 0)
            ReadVariables(level, window, ref tiles, allClosed, closed, open, into, firstColumn);
    }

    private static void FoldParts(Level level, WindowPlan window, long* lanes, TileRun closed, TileRun open)
    {
        if (level.IsCountAndStatistics)
        {
            LaneFold.FoldCountAndStatistics(lanes, closed);
            LaneFold.FoldCountAndStatistics(lanes, open);
            return;
        }

        foreach (var part in window.Ops)
        {
            ref readonly var op = ref level.Ops[part];
            LaneFold.Fold(in op, lanes, closed);
            LaneFold.Fold(in op, lanes, open);
        }
    }

    private static void ReadVariables<TTiles>(
        Level level, WindowPlan window, ref TTiles tiles, TileRun allClosed, TileRun closed, TileRun open, FeatureRow into, int firstColumn)
        where TTiles : struct, ITileSource, allows ref struct
    {
        var state = accumulator ??= new VariableState();
        var first = closed.Count > 0 ? (int)((closed.Tiles - allClosed.Tiles) / closed.StrideBytes) : allClosed.Count;
        foreach (var part in window.Variables)
        {
            state.Clear();
            for (var i = 0; i < closed.Count; i++)
                level.Variables[part].Merge(state, tiles.Variable(first + i, part));
            if (open.Count > 0)
                level.Variables[part].Merge(state, tiles.Variable(allClosed.Count, part));
            foreach (var output in window.Outputs)
            {
                if (output.Kind == ReadOutKind.Variable && output.Part == part)
                    level.Variables[part].ReadOut(state.Span, into, firstColumn + output.Column, output.Index);
            }
        }
    }
}
