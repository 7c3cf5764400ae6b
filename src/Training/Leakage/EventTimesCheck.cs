using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;

namespace StreamMl.Training.Leakage;

/// <summary>
/// Events of the label's log that stand at the times of another log's: where flights' landings are written down under their departures, windows of landed flights count what windows
/// of departed ones do. Looked for in counts over the same window of the same entity; agreement is Cohen's kappa (J. Cohen 1960), so counts that are alike by chance do not
/// count. A window much longer than labels take holds nearly all outcomes of what happened in it, and agrees honestly: only shorter ones are looked at. Where the label's log has
/// recorded arrival times the agreement is true, and no fault. Pure.
/// </summary>
internal static class EventTimesCheck
{
    private const int MinRows = 1_000;

    /// <summary>Counts below it agree by chance, or because all is known long since.</summary>
    private const int MinCount = 5;

    /// <summary>Longest window, in medians of the time from a row to its label.</summary>
    private const double MaxWindow = 2;

    public static LeakOutcome Run(LeakTable table, TrainingManifest? manifest, Catalog? catalog, LeakLimits limits, List<LeakFinding> findings)
    {
        if (manifest is null || SetLogs.LabelLog(manifest) is not { } labels)
            return new LeakOutcome(LeakChecks.EventTimes, "skipped", "there is no manifest that says which log the label comes from");
        if (catalog is null)
            return new LeakOutcome(LeakChecks.EventTimes, "skipped", "there is no catalogue that says which log a view reads (--catalog)");
        var rows = table.Sample(Part.Train, limits.MaxRows);
        var longest = LongestWindow(table, rows);
        List<Agreement> found = [.. Pairs(table, catalog, labels, longest).Select(p => Agreement.Of(p.Labels, p.Other, p.Log, rows)).Where(a => a.Rows >= MinRows)];
        if (found.Count == 0)
            return new LeakOutcome(LeakChecks.EventTimes, "skipped", $"no window of '{labels}' and of another log, of at most {longest.TotalMinutes:0} min, counts events of the same entity ({MinRows:N0} rows with {MinCount} events are needed)");
        var (before, most) = (findings.Count, found.MaxBy(a => a.Kappa)!);
        var isHistory = SetLogs.IsHistory(manifest, labels);
        if (isHistory)
        {
            foreach (var log in found.Where(a => a.Kappa >= limits.SameTimes).GroupBy(a => a.Log).Select(g => g.MaxBy(a => a.Kappa)!))
                findings.Add(Finding(log, labels, limits));
        }

        return LeakChecker.Outcome(LeakChecks.EventTimes, findings, before,
            $"{found.Count} counts of '{labels}' against those of other logs; most alike are {most.Name} and {most.OtherName}, equal in {most.Share:P1} of the rows{(isHistory || most.Kappa < limits.SameTimes ? "" : ", by recorded arrival times")}");
    }

    private static LeakFinding Finding(Agreement found, string labels, LeakLimits limits) => new(
        LeakChecks.EventTimes,
        $"{found.Name} equals {found.OtherName} in {found.Share:P1} of the rows ({found.Chance:P1} by chance): events of '{labels}', which have the label, stand at the times of '{found.Log}'", found.Name, found.Rows, [],
        "agreement beyond chance (Cohen's kappa)", found.Kappa, limits.SameTimes,
        $"Give '{labels}' the time at which its outcome is known as event time, or ingest it with its arrival times and backfill from the archive; if outcomes do come with '{found.Log}', leave this check out (--skip {LeakChecks.EventTimes})");

    /// <summary>Twice as long as labels take, by the set's own account; none where it has none.</summary>
    private static TimeSpan LongestWindow(LeakTable table, int[] rows)
    {
        if (table.KnownUs is not { } known || table.TimeUs is not { } times)
            return TimeSpan.Zero;
        long[] taken = [.. rows.Where(r => known[r] != long.MinValue).Select(r => known[r] - times[r]).Order()];
        return taken.Length == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(MaxWindow * taken[taken.Length / 2]);
    }

    private static IEnumerable<(LeakColumn Labels, LeakColumn Other, string Log)> Pairs(LeakTable table, Catalog catalog, string labels, TimeSpan longest) =>
        from own in catalog.Views
        where own.Source == labels
        from other in catalog.Views
        where other.Source != labels && other.Entity == own.Entity
        from a in Counts(own)
        from b in Counts(other)
        where a.Window == b.Window && ((TrailingWindow)a.Window).Length <= longest
        let left = table.Find($"{own.Name}.{a.Name}")
        let right = table.Find($"{other.Name}.{b.Name}")
        where left is not null && right is not null
        select (left, right, other.Source);

    private static IEnumerable<FeatureDefinition> Counts(ViewDefinition view) =>
        view.Features.Where(f => f.Aggregation is { Function: AggregationNames.Count, Column: null } && f.Window is TrailingWindow);

    /// <param name="Share">Rows with equal counts, of those where one is five or more.</param>
    /// <param name="Chance">That share if rows were mixed.</param>
    private sealed record Agreement(string Name, string OtherName, string Log, int Rows, double Share, double Chance)
    {
        public double Kappa => Chance < 1 ? (Share - Chance) / (1 - Chance) : 0;

        public static Agreement Of(LeakColumn own, LeakColumn other, string log, int[] sample)
        {
            int[] rows = [.. sample.Where(r => Math.Max(own.Values[r], other.Values[r]) >= MinCount)];
            var (ours, theirs) = (rows.CountBy(r => own.Values[r]).ToDictionary(), rows.CountBy(r => other.Values[r]).ToDictionary());
            var equal = rows.Count(r => own.Values[r].Equals(other.Values[r]));
            var chance = ours.Sum(o => (double)o.Value * theirs.GetValueOrDefault(o.Key));
            double count = Math.Max(1, rows.Length);
            return new Agreement(own.Name, other.Name, log, rows.Length, equal / count, chance / count / count);
        }
    }
}
