using StreamMl.Infrastructure.TrainingSets;
using StreamMl.ModelEngine.Sampling;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Leakage;

/// <summary>Test rows that are training rows, to the byte or nearly. Pure.</summary>
internal static class DuplicateCheck
{
    private const int MaxNeighbours = 256;
    private const int MaxProbes = 20_000;
    private const double ChanceFactor = 2;

    public static IEnumerable<LeakOutcome> Run(LeakTable table, LeakLimits limits, List<LeakFinding> findings)
    {
        var (train, test) = (table.RowsOf(Part.Train), table.RowsOf(Part.Test));
        var columns = table.Columns.Where(c => !c.IsIdentity && c.Name.Length > 0).ToList();
        var before = findings.Count;
        Exact(table, columns, train, test, findings);
        yield return LeakChecker.Outcome(LeakChecks.Duplicates, findings, before, $"{test.Count:N0} test rows against {train.Count:N0} training rows, all columns and the time");

        before = findings.Count;
        var timeless = columns.Where(c => c.Role != ColumnRoles.Time && c.Type != FieldType.Timestamp).ToList();
        var note = Near(table, new TwinFinder(timeless, train, limits.TwinDistance), train, test, limits, findings);
        yield return LeakChecker.Outcome(LeakChecks.NearDuplicates, findings, before, note);
    }

    private static void Exact(LeakTable table, List<LeakColumn> columns, List<int> train, List<int> test, List<LeakFinding> findings)
    {
        var known = train.Select(r => Hash(table, columns, r)).ToHashSet();
        List<int> twins = [.. test.Where(r => known.Contains(Hash(table, columns, r)))];
        if (twins.Count == 0)
            return;
        findings.Add(new LeakFinding(
            LeakChecks.Duplicates, $"{twins.Count:N0} test rows stand in the training part too, time and all", null, twins.Count, LeakChecker.Examples(twins), "share of the test rows", twins.Count / (double)test.Count, 0,
            "Remove duplicates and split before any row is copied: oversample the training part only; a split by time keeps equal rows together"));
    }

    /// <summary>Rows may look alike by chance; how many training rows have a twin among the training rows says how often. More than that across the split was put there.</summary>
    private static string Near(LeakTable table, TwinFinder twins, List<int> train, List<int> test, LeakLimits limits, List<LeakFinding> findings)
    {
        var (probes, probed) = (LeakTable.Thin(test, MaxProbes), LeakTable.Thin(train, MaxProbes));
        List<int> found = [.. probes.Where(r => twins.HasTwin(r))];
        var (share, chance) = (found.Count / (double)Math.Max(1, probes.Length), probed.Count(r => twins.HasTwin(r)) / (double)Math.Max(1, probed.Length));
        var limit = limits.TwinShare + (ChanceFactor * chance);
        if (share > limit)
        {
            findings.Add(new LeakFinding(
                LeakChecks.NearDuplicates, $"{found.Count:N0} of {probes.Length:N0} test rows have a near twin in the training part, {share:P1} of them; training rows have one among themselves in {chance:P1}", null, found.Count, LeakChecker.Examples(found),
                "share of the test rows with a near twin", share, limit, "Find where rows are copied or made up from others (augmentation, oversampling, joins that repeat rows), and do it after the split, in the training part only"));
        }

        return $"{probes.Length:N0} test rows; {share:P2} have a near twin in the training part, {chance:P2} of training rows among themselves";
    }

    private static ulong Hash(LeakTable table, List<LeakColumn> columns, int row)
    {
        var hash = table.TimeUs is { } times ? (ulong)times[row] : 0;
        hash = SeededRandom.Mix(hash, table.Label[row] ? 1UL : 0);
        foreach (var column in columns)
            hash = SeededRandom.Mix(hash, (ulong)BitConverter.SingleToUInt32Bits(column.Values[row]));
        return hash;
    }

    /// <summary>
    /// Finds training rows that are equal in every text and near in every number. Rows with equal texts are sorted by a random projection of their numbers: near rows are near there,
    /// so only a short stretch is compared.
    /// </summary>
    private sealed class TwinFinder
    {
        private readonly LeakColumn[] texts;
        private readonly LeakColumn[] numbers;
        private readonly float[] scales;
        private readonly double[] weights;
        private readonly float distance;
        private readonly double reach;
        private readonly Dictionary<ulong, (double[] Places, int[] Rows)> groups;

        public TwinFinder(List<LeakColumn> columns, List<int> train, double distance)
        {
            texts = [.. columns.Where(c => c.IsText)];
            numbers = [.. columns.Where(c => !c.IsText)];
            scales = [.. numbers.Select(c => Deviation(c, train))];
            this.distance = (float)distance;
            weights = [.. numbers.Select((_, i) => 0.5 + SeededRandom.MixToUnit(17, (ulong)i))];
            reach = (weights.Sum() * distance) + 1e-4;
            groups = train.GroupBy(TextsOf).ToDictionary(g => g.Key, g =>
            {
                int[] rows = [.. g];
                double[] places = [.. rows.Select(Place)];
                Array.Sort(places, rows);
                return (places, rows);
            });
        }

        public bool HasTwin(int row)
        {
            if (!groups.TryGetValue(TextsOf(row), out var group))
                return false;
            var place = Place(row);
            var at = Array.BinarySearch(group.Places, place - reach);
            at = at < 0 ? ~at : at;
            for (var looked = 0; at < group.Places.Length && group.Places[at] <= place + reach && looked < MaxNeighbours; at++, looked++)
            {
                if (group.Rows[at] != row && IsNear(row, group.Rows[at]))
                    return true;
            }

            return false;
        }

        private bool IsNear(int a, int b)
        {
            for (var i = 0; i < numbers.Length; i++)
            {
                var (x, y) = (numbers[i].Values[a], numbers[i].Values[b]);
                if (float.IsNaN(x) ? !float.IsNaN(y) : !(Math.Abs(x - y) <= distance * scales[i]))
                    return false;
            }

            return true;
        }

        private double Place(int row)
        {
            var place = 0.0;
            for (var i = 0; i < numbers.Length; i++)
                place += float.IsNaN(numbers[i].Values[row]) ? 0 : weights[i] * numbers[i].Values[row] / scales[i];
            return place;
        }

        private ulong TextsOf(int row) => texts.Aggregate(0UL, (h, c) => SeededRandom.Mix(h, (ulong)BitConverter.SingleToUInt32Bits(c.Values[row])));

        private static float Deviation(LeakColumn column, List<int> rows)
        {
            double sum = 0, squares = 0, count = 0;
            foreach (var row in rows)
            {
                if (!float.IsFinite(column.Values[row]))
                    continue;
                sum += column.Values[row];
                squares += (double)column.Values[row] * column.Values[row];
                count++;
            }

            var variance = count == 0 ? 0 : (squares / count) - (sum / count * sum / count);
            return variance > 1e-12 ? (float)Math.Sqrt(variance) : 1;
        }
    }
}
