namespace StreamMl.Training.Leakage;

/// <summary>Entities on both sides of a split that was to keep them apart. Pure.</summary>
internal static class EntityOverlapCheck
{
    public static LeakOutcome Run(LeakTable table, IReadOnlyList<string> entity, List<LeakFinding> findings)
    {
        if (entity.Count == 0)
            return new LeakOutcome(LeakChecks.EntityOverlap, "skipped", "no split by entity was declared (--entity)");
        LeakColumn[] columns = [.. entity.Select(e => table.Find(e) ?? throw new LeakException($"the set has no column '{e}' to tell entities by"))];
        var before = findings.Count;
        var train = table.RowsOf(Part.Train).Select(r => NameOf(table, columns, r)).ToHashSet(StringComparer.Ordinal);
        var rows = Enumerable.Range(0, table.Rows).Where(r => table.Parts[r] is Part.Validation or Part.Test).Select(r => (Row: r, Name: NameOf(table, columns, r))).Where(r => train.Contains(r.Name)).ToList();
        var names = rows.Select(r => r.Name).Distinct(StringComparer.Ordinal).ToList();
        if (names.Count > 0)
        {
            findings.Add(new LeakFinding(
                LeakChecks.EntityOverlap, $"{names.Count:N0} entities ({string.Join(", ", entity)}) have rows in the training part and outside of it, which the split was to prevent", string.Join(", ", entity), rows.Count, [.. names.Take(5)],
                "entities on both sides", names.Count, 0, "Split by entity: all rows of one go into the same part"));
        }

        return LeakChecker.Outcome(LeakChecks.EntityOverlap, findings, before, $"{train.Count:N0} entities of the training part");
    }

    private static string NameOf(LeakTable table, LeakColumn[] columns, int row) => string.Join('/', columns.Select(c =>
        float.IsNaN(c.Values[row]) ? "null" : c.IsText ? table.Texts[c.Name][(int)c.Values[row]] : c.Values[row].ToString("R", System.Globalization.CultureInfo.InvariantCulture)));
}
