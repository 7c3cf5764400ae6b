using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;

namespace StreamMl.Benchmarks.Backfill;

/// <summary>Compares our training set with another side's table of the same rows (a column <c>row</c>, then twelve values), to the bit.</summary>
internal static class BackfillCheck
{
    /// <summary>Values that differ; null and 0 counts are told apart only where both sides do.</summary>
    public static long Differences(string directory, string otherTable, long rows)
    {
        var values = BackfillData.Windows.Length * BackfillData.Functions.Length;
        var ours = ReadOurs(directory, rows, values);
        var seen = 0L;
        var differing = 0L;
        using var reader = TableReader.Open(Path.Combine(directory, otherTable));
        var batch = new EventBatch(reader.Schema, 1);
        while (reader.Read(batch, 65_536))
        {
            for (var row = 0; row < batch.Count; row++, seen++)
            {
                for (var v = 0; v < values; v++)
                {
                    if (!Same(ours[(batch.Columns[0].Lanes[row] * values) + v], Number(batch.Columns[v + 1], row)))
                        differing++;
                }
            }
        }

        return seen == rows ? differing : throw new InvalidDataException($"{otherTable} has {seen} rows, not {rows}");
    }

    private static double[] ReadOurs(string directory, long rows, int values)
    {
        var ours = new double[rows * values];
        foreach (var path in Directory.EnumerateFiles(Path.Combine(directory, "training"), "part-*.arrow"))
        {
            using var reader = TableReader.Open(path);
            var first = reader.Schema.Fields.Count - values;
            var id = reader.Schema.IndexOf("row");
            var batch = new EventBatch(reader.Schema, 1);
            while (reader.Read(batch, 65_536))
            {
                for (var row = 0; row < batch.Count; row++)
                {
                    for (var v = 0; v < values; v++)
                        ours[(batch.Columns[id].Lanes[row] * values) + v] = Number(batch.Columns[first + v], row);
                }
            }
        }

        return ours;
    }

    /// <summary>NaN is null. SQL's sum of nothing is null where prefix sums give 0; ours is null.</summary>
    private static double Number(EventColumn column, int row) => column.Valid[row] == 0 ? double.NaN
        : column.Type == FieldType.Float64 ? column.Doubles[row] : column.Lanes[row];

    private static bool Same(double ours, double other) => ours == other || (double.IsNaN(ours) && (double.IsNaN(other) || other == 0));
}
