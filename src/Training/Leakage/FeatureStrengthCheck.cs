using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Leakage;

/// <summary>Columns that alone tell the label too well, by their values or by being missing. Pure.</summary>
internal static class FeatureStrengthCheck
{
    private const double FarFloor = 0.75;

    public static IEnumerable<LeakOutcome> Run(LeakTable table, LeakLimits limits, List<LeakFinding> findings)
    {
        var rows = table.Sample(Part.Train, limits.MaxRows);
        bool[] labels = [.. rows.Select(r => table.Label[r])];
        var columns = table.Columns.Where(c => c.Role != ColumnRoles.Time && c.Type != FieldType.Timestamp && !c.IsIdentity).ToList();
        var before = findings.Count;
        List<(LeakColumn Column, double Auc)> strengths = [.. columns.Select(c => (c, SingleFeature.BinnedAuc(Values(c, rows), labels, c.IsText))).OrderByDescending(s => s.Item2)];
        Strong(strengths, rows.Length, limits, findings);
        yield return LeakChecker.Outcome(LeakChecks.StrongFeature, findings, before, strengths.Count == 0 ? "no column" : $"{strengths.Count} columns; the strongest alone is {strengths[0].Column.Name} with AUC {strengths[0].Auc:0.000}");

        before = findings.Count;
        Missing(columns, rows, labels, limits, findings);
        yield return LeakChecker.Outcome(LeakChecks.Missingness, findings, before, $"{columns.Count} columns, whether a value is there against the label");
    }

    private static void Strong(List<(LeakColumn Column, double Auc)> strengths, int rows, LeakLimits limits, List<LeakFinding> findings)
    {
        foreach (var (column, auc) in strengths.Where(s => s.Auc >= limits.SingleAuc))
        {
            findings.Add(new LeakFinding(
                LeakChecks.StrongFeature, $"{column.Name} alone tells the label almost always: it is made of the label, or of what follows from it", column.Name, rows, [], "AUC of the column alone", auc, limits.SingleAuc,
                "Leave it out, or read it as of a time before the label's event"));
        }

        List<(LeakColumn Column, double Auc)> rest = [.. strengths.Where(s => s.Auc < limits.SingleAuc)];
        if (rest.Count < 4 || rest[0].Auc < FarFloor)
            return;
        // A leaking event leaks into all of its aggregates, so several may stand together at the top.
        var top = rest.TakeWhile(s => s.Auc >= FarFloor).ToList();
        var next = rest.Skip(top.Count).Take(3).Select(s => s.Auc - 0.5).DefaultIfEmpty(0).Average();
        foreach (var (column, auc) in top.Where(s => rest.Count > top.Count && s.Auc - 0.5 > limits.AboveOthers * Math.Max(next, 0.01)))
        {
            findings.Add(new LeakFinding(
                LeakChecks.StrongFeature, $"{column.Name} tells the label far better than any other column", column.Name, rows, [], "times further from 0.5 than the next three", (auc - 0.5) / Math.Max(next, 0.01), limits.AboveOthers,
                $"Look at how {column.Name} is made: does it hold anything that is only known after the row's time? Then leave it out, or raise the limit if it is honest"));
        }
    }

    private static void Missing(List<LeakColumn> columns, int[] rows, bool[] labels, LeakLimits limits, List<LeakFinding> findings)
    {
        foreach (var column in columns)
        {
            float[] missing = [.. rows.Select(r => float.IsNaN(column.Values[r]) ? 1f : 0f)];
            var strength = SingleFeature.Strength(missing, labels);
            if (strength < limits.MissingAuc)
                continue;
            findings.Add(new LeakFinding(
                LeakChecks.Missingness, $"Whether {column.Name} is there gives the label away: it is filled in when the outcome is known", column.Name, (long)missing.Sum(), [], "AUC of being missing", strength, limits.MissingAuc,
                "Leave it out, or fill it as it stood at the row's time"));
        }
    }

    internal static float[] Values(LeakColumn column, int[] rows) => [.. rows.Select(r => column.Values[r])];
}
