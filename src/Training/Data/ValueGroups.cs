using System.Globalization;
using System.Text;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.Training.Data;

/// <summary>Rows by the value of one column, or by the hour of a time. Immutable.</summary>
/// <param name="Ids">Group of every row asked for, an index into <paramref name="Names"/>.</param>
/// <param name="Names">The values as text, in the order in which they were first seen.</param>
internal sealed record ValueGroups(int[] Ids, IReadOnlyList<string> Names)
{
    /// <summary>A slice by a column with more values tells nothing; nor does a rate.</summary>
    public const int MaxGroups = 100_000;

    /// <param name="set">The set.</param>
    /// <param name="column">The column.</param>
    /// <param name="rows">Rows of the set.</param>
    /// <param name="isHour">Whether the column is a time, and its hour of the day (UTC) counts.</param>
    /// <exception cref="TrainingException">Too many values, or no time.</exception>
    public static ValueGroups Of(TrainingSet set, int column, int[] rows, bool isHour = false)
    {
        var (type, name) = (set.TypeOf(column), set.Manifest.Columns[column].Name);
        if (isHour && type != FieldType.Timestamp)
            throw new TrainingException($"'rate by hour({name})' needs a time, and '{name}' is {type}: name a timestamp, or write 'rate by {name}'");
        var codes = new Dictionary<string, int>(StringComparer.Ordinal);
        var ids = new int[rows.Length];
        SetChunk? chunk = null;
        for (var i = 0; i < rows.Length; i++)
        {
            chunk = set.ChunkOf(rows[i], chunk);
            var text = TextOf(chunk.Columns[column], rows[i] - chunk.FirstRow, type, isHour);
            if (!codes.TryGetValue(text, out ids[i]))
                codes.Add(text, ids[i] = codes.Count);
            if (codes.Count > MaxGroups)
                throw new TrainingException($"column '{name}' has more than {MaxGroups} values: name one with fewer for a slice or a baseline");
        }

        return new ValueGroups(ids, [.. codes.OrderBy(c => c.Value).Select(c => c.Key)]);
    }

    private static string TextOf(in SetColumn cell, int row, FieldType type, bool isHour) =>
        !cell.IsValid(row) ? "(none)"
        : type == FieldType.String ? Encoding.UTF8.GetString(cell.Text(row))
        : isHour ? (TimeGrid.ToDateTime(cell.Lane(row)).Hour).ToString("D2", CultureInfo.InvariantCulture)
        : type == FieldType.Timestamp ? TimeGrid.Format(cell.Lane(row))
        : type == FieldType.Boolean ? (cell.Lane(row) != 0 ? "true" : "false")
        : cell.Number(row).ToString("R", CultureInfo.InvariantCulture);
}
