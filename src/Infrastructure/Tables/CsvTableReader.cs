using System.Globalization;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;
using Sylvan.Data.Csv;

namespace StreamMl.Infrastructure.Tables;

/// <summary>
/// A table in a CSV file with a header. Read twice: first to find each column's type, the narrowest of boolean, integer, number, timestamp
/// (ISO 8601) and text that every cell fits. An empty cell is null.
/// </summary>
public sealed class CsvTableReader : TableReader
{
    private readonly CsvDataReader reader;
    private readonly FieldType[] types;
    private readonly string path;
    private long rows;

    /// <exception cref="InvalidDataException">Two columns of one name, or a cell that is not of the type that was given for its column.</exception>
    public CsvTableReader(string path, IReadOnlyDictionary<string, FieldType>? wanted = null)
    {
        this.path = path;
        string[] names;
        using (var probe = CsvDataReader.Create(path))
        {
            names = [.. Enumerable.Range(0, probe.FieldCount).Select(probe.GetName)];
            types = InferTypes(probe);
        }

        for (var i = 0; i < names.Length; i++)
            types[i] = wanted?.TryGetValue(names[i], out var type) == true ? type : types[i];
        reader = CsvDataReader.Create(path);
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Length)
            throw new InvalidDataException($"{path}: two columns have one name ({string.Join(", ", names)}); rename one of them");
        Schema = new EventSchema(Path.GetFileNameWithoutExtension(path), [.. names.Zip(types, (n, t) => new EventField(n, t, Nullable: true))]);
    }

    public override EventSchema Schema { get; }

    public override IReadOnlyList<SkippedColumn> Skipped => [];

    public override bool Read(EventBatch into, int maxRows)
    {
        into.Clear();
        while (into.Count < maxRows && reader.Read())
        {
            var row = into.NextRow();
            rows++;
            for (var i = 0; i < types.Length; i++)
            {
                if (!TrySet(into.Columns[i], row, into.Arena, reader.GetFieldSpan(i), types[i]))
                    throw new InvalidDataException($"{path}: row {rows}: '{reader.GetString(i)}' in column '{reader.GetName(i)}' is no {types[i]}; correct the cell, or leave it empty for null");
            }

            into.Count = row + 1;
        }

        return into.Count > 0;
    }

    protected override void Dispose(bool disposing)
    {
        reader.Dispose();
        base.Dispose(disposing);
    }

    private static FieldType[] InferTypes(CsvDataReader probe)
    {
        var fits = new bool[probe.FieldCount, FitOrder.Length];
        var seen = new bool[probe.FieldCount];
        for (var i = 0; i < probe.FieldCount; i++)
        {
            for (var t = 0; t < FitOrder.Length; t++)
                fits[i, t] = true;
        }

        while (probe.Read())
        {
            for (var i = 0; i < probe.FieldCount; i++)
            {
                var cell = probe.GetFieldSpan(i);
                if (cell.IsEmpty)
                    continue;
                seen[i] = true;
                for (var t = 0; t < FitOrder.Length; t++)
                    fits[i, t] = fits[i, t] && TryParse(cell, FitOrder[t], out _);
            }
        }

        var inferred = new FieldType[probe.FieldCount];
        for (var i = 0; i < inferred.Length; i++)
        {
            inferred[i] = FieldType.String;
            for (var t = FitOrder.Length - 1; t >= 0 && seen[i]; t--)
                inferred[i] = fits[i, t] ? FitOrder[t] : inferred[i];
        }

        return inferred;
    }

    private static readonly FieldType[] FitOrder = [FieldType.Boolean, FieldType.Int64, FieldType.Float64, FieldType.Timestamp];

    private static bool TrySet(EventColumn column, int row, Utf8Arena arena, ReadOnlySpan<char> cell, FieldType type)
    {
        var lane = 0L;
        if (cell.IsEmpty)
            column.SetNull(row);
        else if (type == FieldType.String)
            column.Set(row, arena.Append(cell.ToString()));
        else if (TryParse(cell, type, out lane))
            column.Set(row, lane);
        else
            return false;
        return true;
    }

    private static bool TryParse(ReadOnlySpan<char> cell, FieldType type, out long lane)
    {
        lane = 0;
        switch (type)
        {
            case FieldType.Boolean:
                var isBoolean = bool.TryParse(cell, out var flag);
                lane = flag ? 1 : 0;
                return isBoolean;
            case FieldType.Int64:
                return long.TryParse(cell, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out lane);
            case FieldType.Float64:
                var isNumber = double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
                lane = BitConverter.DoubleToInt64Bits(number);
                return isNumber;
            default:
                // A date alone would also parse from texts such as "1-2"; ISO dates have at least ten characters.
                var isTime = DateTime.TryParse(cell, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time) && cell.Length >= 10;
                lane = isTime ? TimeGrid.FromDateTime(time) : 0;
                return isTime;
        }
    }
}
