using StreamMl.Shared.Definitions;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>What windows, hop, lateness and idle limit of a view must be.</summary>
internal static class WindowRules
{
    /// <summary>Tiles that an entity may keep on one hop.</summary>
    public const int MaxTiles = 4096;

    private static readonly TimeSpan MaxLateness = TimeSpan.FromDays(30);

    public static void Check(ViewDefinition view, Report report)
    {
        var latenessIsGood = view.AllowedLateness >= TimeSpan.Zero && view.AllowedLateness <= MaxLateness;
        if (!latenessIsGood)
            report.Error(At(view, "allowedLateness"), $"allowedLateness of view '{view.Name}' is {Durations.Format(view.AllowedLateness)}", "Use 0s to 30d; 10m is the default");
        var hopIsGood = (view.Hop is not { } hop || CheckHop(view, hop, report)) && latenessIsGood;
        foreach (var feature in view.Features.DistinctBy(f => f.Window))
        {
            if (feature.Window is TrailingWindow window)
                CheckWindow(view, window, WindowPlace(view, feature, window), hopIsGood, report);
        }

        CheckIdleLimit(view, report);
    }

    private static SourceLocation? At(ViewDefinition view, string part) => view.Parts.Find(part) ?? view.Location;

    // A window stands in the view's list or at the feature itself.
    private static SourceLocation? WindowPlace(ViewDefinition view, FeatureDefinition feature, TrailingWindow window) =>
        view.Parts.Find($"windows/{window.Label}") ?? feature.Location ?? At(view, "windows");

    private static bool CheckHop(ViewDefinition view, TimeSpan hop, Report report)
    {
        if (TimeGrid.LadderUs.Contains(TimeGrid.ToMicros(hop)))
            return true;
        report.Error(At(view, "hop"), $"hop of view '{view.Name}' is {Durations.Format(hop)}, which is not on the ladder", $"Use one of {Ladder()}");
        return false;
    }

    private static void CheckWindow(ViewDefinition view, TrailingWindow window, SourceLocation? at, bool gridIsGood, Report report)
    {
        if (window.Length < TrailingWindow.MinLength || window.Length > TrailingWindow.MaxLength)
        {
            report.Error(at, $"window {window.Label} of view '{view.Name}' is out of range", "Use 5s to 365d, or lifetime");
            return;
        }

        if (!gridIsGood)
            return;
        var lengthUs = TimeGrid.ToMicros(window.Length);
        var hopUs = view.Hop is { } own ? TimeGrid.ToMicros(own) : TimeGrid.DefaultHopUs(lengthUs);
        if (lengthUs % hopUs != 0)
        {
            report.Error(at, $"window {window.Label} of view '{view.Name}' is no multiple of its hop {Show(hopUs)}", NearRemedy(lengthUs, hopUs));
            return;
        }

        var tiles = (lengthUs + TimeGrid.ToMicros(view.AllowedLateness)) / hopUs;
        if (tiles > MaxTiles)
            report.Error(at, $"window {window.Label} of view '{view.Name}' with lateness {Durations.Format(view.AllowedLateness)} keeps {tiles} tiles of {Show(hopUs)} an entity, and at most {MaxTiles} are kept", "Use a longer hop, a shorter window or less lateness");
    }

    private static string NearRemedy(long lengthUs, long hopUs)
    {
        var below = lengthUs / hopUs * hopUs;
        var near = below > 0 ? $"{Show(below)} or {Show(below + hopUs)}" : Show(hopUs);
        var finer = FinerHop(lengthUs, hopUs);
        return finer > 0 && lengthUs / finer <= MaxTiles ? $"Use {near}, or a finer `hop: {Show(finer)}`" : $"Use {near}";
    }

    private static long FinerHop(long lengthUs, long hopUs)
    {
        long best = 0;
        foreach (var step in TimeGrid.LadderUs)
            best = step < hopUs && lengthUs % step == 0 ? step : best;
        return best;
    }

    private static void CheckIdleLimit(ViewDefinition view, Report report)
    {
        if (view.IdleLimit is not { } idle)
            return;
        var longest = view.Features.Select(f => f.Window).OfType<TrailingWindow>().Select(w => w.Length).DefaultIfEmpty().Max();
        if (view.Features.All(f => f.Window is TrailingWindow))
            report.Warn(At(view, "idleLimit"), $"idleLimit of view '{view.Name}' has no effect, as all its windows are trailing", "Remove it: such entities are forgotten after their longest window");
        else if (idle <= TimeSpan.Zero || idle < longest + view.AllowedLateness)
            report.Error(At(view, "idleLimit"), $"idleLimit of view '{view.Name}' is {Durations.Format(idle)}, less than its longest window and its lateness", $"Use at least {Durations.Format(longest + view.AllowedLateness)}, or leave it out to keep entities for ever");
    }

    private static string Show(long us) => Durations.Format(TimeGrid.FromMicros(us));

    private static string Ladder()
    {
        var steps = new List<string>();
        foreach (var us in TimeGrid.LadderUs)
            steps.Add(Show(us));
        return string.Join(", ", steps);
    }
}
