using StreamMl.Infrastructure.TrainingSets;

namespace StreamMl.Training.Leakage;

/// <summary>Rows of one grouping in the order of their times: of an origin, of a route, or all of them. Pure.</summary>
/// <param name="Name">The columns that group, or "all rows".</param>
/// <param name="Before">The row of the same group just before, or -1.</param>
/// <param name="OldestUnknown">The oldest row of the group whose label is not known at the row's time, or -1.</param>
internal sealed record EntityOrder(string Name, int[] Before, int[] OldestUnknown)
{
    private const int MaxKeys = 6;

    /// <summary>Each key, each pair of keys, and all rows together: a view's entity is one of them.</summary>
    public static IEnumerable<EntityOrder> Of(LeakTable table)
    {
        var keys = table.Columns.Where(c => c.Role == ColumnRoles.Key && !c.IsIdentity).Take(MaxKeys).ToList();
        yield return Order(table, []);
        for (var i = 0; i < keys.Count; i++)
        {
            yield return Order(table, [keys[i]]);
            for (var j = i + 1; j < keys.Count; j++)
                yield return Order(table, [keys[i], keys[j]]);
        }
    }

    private static EntityOrder Order(LeakTable table, LeakColumn[] keys)
    {
        var times = table.TimeUs!;
        int[] rows = [.. Enumerable.Range(0, table.Rows)];
        long[] groups = [.. rows.Select(r => keys.Aggregate(0L, (g, k) => (g * 1_000_003) + (float.IsNaN(k.Values[r]) ? -1 : (long)k.Values[r])))];
        // Ties keep the order of the files.
        Array.Sort(rows, (a, b) => groups[a] != groups[b] ? groups[a].CompareTo(groups[b]) : times[a] != times[b] ? times[a].CompareTo(times[b]) : a.CompareTo(b));
        var (before, unknown) = (new int[table.Rows], new int[table.Rows]);
        var oldest = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            var row = rows[i];
            var isFirst = i == 0 || groups[rows[i - 1]] != groups[row];
            if (isFirst)
                oldest = i;
            before[row] = isFirst ? -1 : rows[i - 1];
            while (oldest < i && (table.KnownUs is null || table.KnownUs[rows[oldest]] <= times[row]))
                oldest++;
            unknown[row] = oldest < i ? rows[oldest] : -1;
        }

        return new EntityOrder(keys.Length == 0 ? "all rows" : string.Join(" and ", keys.Select(k => k.Name)), before, unknown);
    }
}
