using System.IO.Hashing;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>A spine of label rows from a file. A bad one is refused with the row (from 1, without the header), the value and what to do.</summary>
internal sealed class LabelSpine(BackfillOptions options, ServiceProgram service, LabelTable? labels, long firstArrivalUs)
{
    private readonly string file = options.Spine!;
    private readonly HashSet<UInt128> seen = []; // of the rows of one time while times ascend; then of all rows
    private bool isAscending = true;
    private readonly Utf8Arena arena = new();

    public SpineTable Build(string path, CancellationToken cancellationToken)
    {
        var types = service.Keys.ToDictionary(k => k.Name, k => k.Type, StringComparer.Ordinal);
        using var reader = Open(types);
        var schema = reader.Schema;
        var time = TimeColumn(schema);
        var keyColumns = service.Keys.Select(k => KeyColumn(schema, k)).ToArray();
        // An Arrow file can be used where it is; anything else becomes one.
        using var writer = labels is null && Path.GetExtension(file) == ".arrow" ? null : new SpineWriter(path, schema, labels);
        var rows = Check(reader, schema, time, keyColumns, writer, cancellationToken);
        writer?.Commit();
        return new SpineTable(writer is null ? file : path, writer?.Schema ?? schema, writer?.Rows ?? rows, time, keyColumns, null, writer?.LeftOut ?? new SortedDictionary<string, long>(StringComparer.Ordinal));
    }

    private long Check(TableReader reader, EventSchema schema, int time, int[] keyColumns, SpineWriter? writer, CancellationToken cancellationToken)
    {
        var batch = new EventBatch(schema, 1);
        var rows = 0L;
        var last = long.MinValue;
        while (reader.Read(batch, SpineTable.BatchRows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var row = 0; row < batch.Count; row++)
            {
                rows++;
                var previous = last;
                CheckTime(batch.Columns[time], row, rows, schema.Fields[time].Name, ref last);
                if (isAscending && last != previous)
                    Advance(last > previous, time, keyColumns, rows - 1);
                CheckDuplicate(batch, time, keyColumns, row, rows);
                writer?.Add(batch, row);
            }
        }

        return rows > 0 ? rows : throw new BackfillException($"{file} has no rows: a spine has a row for every value that is wanted");
    }

    private TableReader Open(Dictionary<string, FieldType> types)
    {
        try
        {
            return TableReader.Open(file, types);
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException)
        {
            throw new BackfillException($"--spine: {e.Message}");
        }
    }

    private int TimeColumn(EventSchema schema)
    {
        var times = schema.Fields.Where(f => f.Type == FieldType.Timestamp).Select(f => f.Name).ToList();
        var name = options.TimeColumn ?? (times.Contains("time") ? "time" : times.Count == 1 ? times[0] : null)
            ?? throw new BackfillException($"{file} has {(times.Count == 0 ? "no timestamp column" : $"several timestamp columns ({string.Join(", ", times)})")}: name the one with the rows' times by --time COLUMN");
        var index = schema.IndexOf(name);
        if (index < 0)
            throw new BackfillException($"{file} has no column '{name}' (--time); it has {string.Join(", ", schema.Fields.Select(f => f.Name))}");
        return schema.Fields[index].Type == FieldType.Timestamp
            ? index
            : throw new BackfillException($"{file}: column '{name}' (--time) is {schema.Fields[index].Type}; a time is a timestamp column, in a CSV written as 2013-05-01T08:30:00Z");
    }

    private int KeyColumn(EventSchema schema, ServiceKey key)
    {
        var index = schema.IndexOf(key.Name);
        if (index < 0)
            throw new BackfillException($"{file} has no column '{key.Name}', which service '{service.Name}' reads by; it has {string.Join(", ", schema.Fields.Select(f => f.Name))}. Add or rename a column");
        return schema.Fields[index].Type == key.Type
            ? index
            : throw new BackfillException($"{file}: column '{key.Name}' is {schema.Fields[index].Type}, service '{service.Name}' reads by it as {key.Type}: convert the column");
    }

    private void CheckTime(EventColumn times, int row, long number, string name, ref long last)
    {
        if (times.Valid[row] == 0)
            throw new BackfillException($"{file}: row {number} has no '{name}': give it its time, or remove the row");
        var time = times.Lanes[row];
        if (options.AssertSorted && time < last)
            throw new BackfillException($"{file}: row {number} is at {TimeGrid.Format(time)}, before the row above it at {TimeGrid.Format(last)}: sort the file by '{name}', or do not assert --sorted");
        if (!options.AllowBeforeArchive && time < firstArrivalUs)
            throw new BackfillException($"{file}: row {number} is at {TimeGrid.Format(time)}, before the archive's first event, which arrived at {TimeGrid.Format(firstArrivalUs)}: its features would all be empty. Remove such rows, archive earlier events (or name them by --history), or take them as they are with --allow-before-archive");
        last = time;
    }

    /// <summary>A row of another time: a later one cannot be the same as any before; an earlier one ends that, and all rows before are looked at again.</summary>
    private void Advance(bool isLater, int time, int[] keyColumns, long rowsBefore)
    {
        if (seen.Count > 0)
            seen.Clear();
        if (isLater)
            return;
        isAscending = false;
        using var reader = Open(service.Keys.ToDictionary(k => k.Name, k => k.Type, StringComparer.Ordinal));
        var batch = new EventBatch(reader.Schema, 1);
        while (rowsBefore > 0 && reader.Read(batch, (int)Math.Min(rowsBefore, SpineTable.BatchRows)))
        {
            for (var row = 0; row < batch.Count; row++)
                seen.Add(HashOf(batch, time, keyColumns, row));
            rowsBefore -= batch.Count;
        }
    }

    private void CheckDuplicate(EventBatch batch, int time, int[] keyColumns, int row, long number)
    {
        if (seen.Add(HashOf(batch, time, keyColumns, row)))
            return;
        var keys = keyColumns.Select(c => $"{batch.Schema.Fields[c].Name}={Text(batch, c, row)}");
        throw new BackfillException($"{file}: row {number} ({string.Join(", ", keys)} at {TimeGrid.Format(batch.Columns[time].Lanes[row])}) is there twice: one row per key and time; remove one, or set their times apart");
    }

    private UInt128 HashOf(EventBatch batch, int time, int[] keyColumns, int row)
    {
        arena.Clear();
        Span<byte> lane = stackalloc byte[8];
        BitConverter.TryWriteBytes(lane, batch.Columns[time].Lanes[row]);
        arena.Append(lane);
        foreach (var column in keyColumns)
        {
            var cell = batch.Columns[column];
            BitConverter.TryWriteBytes(lane, cell.Type == FieldType.String ? (int)cell.Lanes[row] : cell.Lanes[row]);
            arena.Append(lane);
            arena.Append(cell.Valid.AsSpan(row, 1));
            if (cell.Type == FieldType.String && cell.Valid[row] != 0)
                arena.Append(batch.Arena.Slice(cell.Lanes[row]));
        }

        return XxHash128.HashToUInt128(arena.Slice(Utf8Arena.Pack(0, arena.Length)));
    }

    private static string Text(EventBatch batch, int column, int row)
    {
        var text = new Utf8Arena();
        var key = EntityKey.Append(text, batch, [column], row);
        return key < 0 ? "null" : text.GetString(key);
    }
}
