using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Time;

namespace StreamMl.Training.Leakage;

/// <summary>Rows whose label was not known when the next part began, so that a model trained then could not have had it; and labels known before they are predicted. Pure.</summary>
internal static class LabelTimeCheck
{
    private const double KnownEarlyShare = 0.001;

    public static LeakOutcome Run(LeakTable table, (long ValidationUs, long TestUs)? bounds, bool isByEntity, List<LeakFinding> findings)
    {
        if (table.KnownUs is not { } known || table.TimeUs is not { } times)
            return new LeakOutcome(LeakChecks.LabelTime, "skipped", "the set does not say when each label was known; make it with `streamml backfill --label`, or name the column with --label-time");
        var before = findings.Count;
        var (validation, test) = bounds ?? (First(table, times, Part.Validation), First(table, times, Part.Test));
        // A split by entity has all times in all parts, as declared.
        if (!isByEntity)
        {
            Unknown(table, known, Part.Train, Math.Min(validation, test), findings);
            Unknown(table, known, Part.Validation, test, findings);
        }

        Early(table, times, known, findings);
        return LeakChecker.Outcome(LeakChecks.LabelTime, findings, before, isByEntity ? "label times against the rows' own; the split is by entity, not by time" : $"{table.Rows:N0} label times against the split");
    }

    private static void Unknown(LeakTable table, long[] known, Part part, long endUs, List<LeakFinding> findings)
    {
        List<int> rows = [.. Enumerable.Range(0, table.Rows).Where(r => table.Parts[r] == part && known[r] >= endUs && endUs != long.MaxValue)];
        if (rows.Count == 0)
            return;
        var latest = rows.Max(r => known[r]) - endUs;
        findings.Add(new LeakFinding(
            LeakChecks.LabelTime,
            $"{rows.Count:N0} rows of the {part.ToString().ToLowerInvariant()} part have labels that were not known when the next part began at {TimeGrid.Format(endUs)}",
            null, rows.Count, LeakChecker.Examples(rows), "longest time from the part's end to the label, hours", latest / 3.6e9, 0,
            $"Leave a gap of at least {Math.Ceiling(latest / 3.6e9):0} h before each boundary (--gap, or split.gap in the training configuration), or none at all: rows are then left out by their own label's time"));
    }

    private static void Early(LeakTable table, long[] times, long[] known, List<LeakFinding> findings)
    {
        List<int> rows = [.. Enumerable.Range(0, table.Rows).Where(r => table.Parts[r] != Part.LeftOut && known[r] != long.MinValue && known[r] <= times[r])];
        var share = rows.Count / (double)table.Rows;
        if (share <= KnownEarlyShare)
            return;
        findings.Add(new LeakFinding(
            LeakChecks.LabelTime, $"{rows.Count:N0} rows have a label that was known when they were to be predicted", table.Columns.FirstOrDefault(c => c.Role == ColumnRoles.Time)?.Name, rows.Count, LeakChecker.Examples(rows),
            "share of rows", share, KnownEarlyShare, "Predict earlier: take a trigger or a row time before the label's event, or look at the label's rule"));
    }

    private static long First(LeakTable table, long[] times, Part part) => Enumerable.Range(0, table.Rows).Where(r => table.Parts[r] == part).Select(r => times[r]).DefaultIfEmpty(long.MaxValue).Min();
}
