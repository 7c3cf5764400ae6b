using StreamMl.Infrastructure.TrainingSets;

namespace StreamMl.Training.Leakage;

/// <summary>
/// Features that hold labels before their time, seen from their place among their entity's rows. A stored feature changes slowly: a row's value and the value of the row before tell
/// about as much. One that holds its own row's label loses that when it is shifted. And of earlier rows whose labels are not known yet it can tell what other events have shown of
/// them (a late departure, of a late arrival), but hardly the label itself; a window of few events that has those labels can. Pure.
/// </summary>
internal static class LabelMemoryCheck
{
    private const int MinPairs = 2_000;
    private const int EarlyRows = 20_000;
    private const double MinStrength = 0.6;

    public static IEnumerable<LeakOutcome> Run(LeakTable table, LeakLimits limits, List<LeakFinding> findings)
    {
        var features = table.Columns.Where(c => c.Role == ColumnRoles.Feature && !c.IsText).ToList();
        if (table.TimeUs is null || features.Count == 0)
        {
            yield return new LeakOutcome(LeakChecks.OwnLabel, "skipped", "the set has no stored features in an order of time");
            yield return new LeakOutcome(LeakChecks.EarlyLabels, "skipped", "the set has no stored features in an order of time");
            yield break;
        }

        List<EntityOrder> orders = [.. EntityOrder.Of(table)];
        var before = findings.Count;
        foreach (var feature in features)
            OwnLabel(table, feature, orders, limits, findings);
        yield return LeakChecker.Outcome(LeakChecks.OwnLabel, findings, before, $"{features.Count} stored features, each shifted by a row within {orders.Count} orders");

        if (table.KnownUs is null)
        {
            yield return new LeakOutcome(LeakChecks.EarlyLabels, "skipped", "the set does not say when each label was known");
            yield break;
        }

        before = findings.Count;
        List<EarlierRows> pairs = [.. orders.SelectMany(o => EarlierRows.Of(table, o, Math.Min(limits.MaxRows, EarlyRows)))];
        var strongest = features.ConvertAll(f => (f.Name, Auc: EarlyLabels(table, f, pairs, limits, findings))).MaxBy(f => f.Auc);
        yield return LeakChecker.Outcome(LeakChecks.EarlyLabels, findings, before,
            $"{features.Count} stored features against labels of earlier rows that were not known yet{(strongest.Auc >= MinStrength ? $"; most is told by {strongest.Name} (AUC {strongest.Auc:0.000}), as events in between do that come before the label's" : "")}");
    }

    private static void OwnLabel(LeakTable table, LeakColumn feature, List<EntityOrder> orders, LeakLimits limits, List<LeakFinding> findings)
    {
        var sample = table.Sample(Part.Train, limits.MaxRows);
        if (Strength(table, feature, sample, sample) < MinStrength)
            return;
        var (own, shifted, drop, rows, name) = (0.0, 0.0, double.MaxValue, 0, "");
        foreach (var order in orders)
        {
            int[] inside = [.. sample.Where(r => order.Before[r] >= 0 && !float.IsNaN(feature.Values[r]) && !float.IsNaN(feature.Values[order.Before[r]]))];
            if (inside.Length < MinPairs)
                continue;
            var (a, b) = (Strength(table, feature, inside, inside), Strength(table, feature, [.. inside.Select(r => order.Before[r])], inside));
            if (a - b < drop)
                (own, shifted, drop, rows, name) = (a, b, a - b, inside.Length, order.Name);
        }

        // The order that keeps most is the feature's own; in others its rows belong to someone else.
        if (rows == 0 || drop < limits.ShiftDrop || own - 0.5 < 2 * (shifted - 0.5))
            return;
        findings.Add(new LeakFinding(
            LeakChecks.OwnLabel, $"{feature.Name} tells its own row's label (AUC {own:0.000}), and the value of the row before, in the order of {name}, does not (AUC {shifted:0.000}): it holds the outcome of its own row", feature.Name, rows, [],
            "AUC lost by a shift of one row", drop, limits.ShiftDrop, $"Read {feature.Name} as of the row's time, by arrival, so that the row's own outcome is not in it"));
    }

    private static double EarlyLabels(LeakTable table, LeakColumn feature, IReadOnlyList<EarlierRows> pairs, LeakLimits limits, List<LeakFinding> findings)
    {
        var (own, early, rows, name) = (0.5, 0.5, 0, "");
        foreach (var pair in pairs)
        {
            var there = Enumerable.Range(0, pair.Rows.Length).Where(i => !float.IsNaN(feature.Values[pair.Rows[i]])).ToList();
            if (there.Count < MinPairs)
                continue;
            int[] at = [.. there.Select(i => pair.Rows[i])];
            var strength = Strength(table, feature, at, [.. there.Select(i => pair.Earlier[i])]);
            if (strength > early)
                (own, early, rows, name) = (Strength(table, feature, at, at), strength, at.Length, pair.Order);
        }

        if (early < limits.EarlyAuc || early - own < limits.EarlyGain)
            return early - own < limits.EarlyGain ? 0 : early;
        findings.Add(new LeakFinding(
            LeakChecks.EarlyLabels, $"{feature.Name} tells the label of an earlier row, in the order of {name}, before it was known (AUC {early:0.000}; of its own row {own:0.000}): it holds labels before they arrive", feature.Name, rows, [],
            "AUC for labels that were not known", early, limits.EarlyAuc, "Backfill in arrival-time mode: an event counts from when it could be known, not from when it happened"));
        return early;
    }

    private static double Strength(LeakTable table, LeakColumn feature, int[] valuesOf, int[] labelsOf) =>
        SingleFeature.Strength(FeatureStrengthCheck.Values(feature, valuesOf), [.. labelsOf.Select(r => table.Label[r])]);

    /// <summary>Rows of the training part, and for each an earlier row of its group whose label was not known at its time.</summary>
    private sealed record EarlierRows(string Order, int[] Rows, int[] Earlier)
    {
        /// <summary>The row just before, and the oldest one; none where there are too few.</summary>
        public static IEnumerable<EarlierRows> Of(LeakTable table, EntityOrder order, int most)
        {
            foreach (var earlier in (int[][])[order.Before, order.OldestUnknown])
            {
                List<int> rows = [.. Enumerable.Range(0, table.Rows).Where(r => table.Parts[r] == Part.Train && earlier[r] >= 0 && table.HasLabel[earlier[r]] && table.KnownUs![earlier[r]] > table.TimeUs![r])];
                var sample = LeakTable.Thin(rows, most);
                if (sample.Length >= MinPairs)
                    yield return new EarlierRows(order.Name, sample, [.. sample.Select(r => earlier[r])]);
            }
        }
    }
}
