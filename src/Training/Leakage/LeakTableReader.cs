using StreamMl.Infrastructure.Tables;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Leakage;

/// <summary>Reads a training set of <c>streamml backfill</c>, or any table with a label column, into memory.</summary>
internal sealed class LeakTableReader
{
    /// <summary>Times are kept as seconds from here.</summary>
    internal const long Epoch = 1_600_000_000;
    private const int BatchRows = 8_192;
    private readonly EventSchema schema;
    private readonly string[] roles;
    private readonly List<float>[] values;
    private readonly Dictionary<string, int>[] numbers;
    private readonly List<long> times = [];
    private readonly List<long> known = [];
    private readonly List<float> labels = [];
    private readonly int label;
    private readonly int time;
    private readonly int knownAt;

    private LeakTableReader(EventSchema schema, Func<string, string> roleOf, string label)
    {
        this.schema = schema;
        roles = [.. schema.Fields.Select(f => f.Name == label ? ColumnRoles.Label : roleOf(f.Name))];
        this.label = Array.IndexOf(roles, ColumnRoles.Label);
        time = Array.IndexOf(roles, ColumnRoles.Time);
        knownAt = Array.IndexOf(roles, ColumnRoles.LabelTime);
        values = [.. schema.Fields.Select(_ => new List<float>())];
        numbers = [.. schema.Fields.Select(_ => new Dictionary<string, int>(StringComparer.Ordinal))];
    }

    /// <param name="path">A folder with a manifest and Arrow files, or one table.</param>
    /// <param name="labelName">The label's column; null: the manifest's.</param>
    /// <param name="timeName">The time's column, for a table without a manifest.</param>
    /// <param name="knownName">The column that says when the label was known, for such a table.</param>
    public static (LeakTable Table, TrainingManifest? Manifest) Read(string path, string? labelName, string? timeName, string? knownName)
    {
        var manifest = File.Exists(Path.Combine(path, TrainingManifest.FileName)) ? TrainingManifest.Load(path) : null;
        var roleByName = manifest?.Columns.ToDictionary(c => c.Name, c => c.Role, StringComparer.Ordinal) ?? [];
        labelName ??= manifest?.Columns.FirstOrDefault(c => c.Role == ColumnRoles.Label)?.Name ?? throw new LeakException($"{path} does not say which column is the label; name it with --label");
        string[] files = manifest is null ? [path] : [.. manifest.Files.Select(f => Path.Combine(path, f.Name))];
        LeakTableReader? reader = null;
        foreach (var file in files)
        {
            using var table = TableReader.Open(file);
            reader ??= new LeakTableReader(table.Schema, RoleOf, labelName);
            reader.Append(table);
        }

        return (reader!.Done(path, labelName, manifest is null || manifest.Spine.StartsWith("events of ", StringComparison.Ordinal)), manifest);

        string RoleOf(string name) => roleByName.GetValueOrDefault(name) ?? (name == timeName ? ColumnRoles.Time : name == knownName ? ColumnRoles.LabelTime : ColumnRoles.Carried);
    }

    private void Append(TableReader table)
    {
        if (label < 0)
            return;
        var batch = new EventBatch(table.Schema, BatchRows);
        while (table.Read(batch, BatchRows))
        {
            for (var c = 0; c < schema.Fields.Count; c++)
            {
                if (roles[c] != ColumnRoles.Position)
                    Append(batch, c);
            }
        }
    }

    private void Append(EventBatch batch, int c)
    {
        var column = batch.Columns[c];
        if (c == time || c == knownAt)
        {
            var into = c == time ? times : known;
            for (var row = 0; row < batch.Count; row++)
                into.Add(column.Valid[row] == 0 ? long.MinValue : column.Lanes[row]);
        }

        var target = c == label ? labels : values[c];
        for (var row = 0; row < batch.Count; row++)
            target.Add(column.Valid[row] == 0 ? float.NaN : Value(batch, column, c, row));
    }

    private float Value(EventBatch batch, EventColumn column, int c, int row)
    {
        if (column.Type == FieldType.String)
        {
            var text = batch.Arena.GetString(column.Lanes[row]);
            if (!numbers[c].TryGetValue(text, out var number))
                numbers[c].Add(text, number = numbers[c].Count);
            return number;
        }

        // Seconds: a float has 24 bits, which keep a year of times to two seconds.
        return column.Type switch
        {
            FieldType.Float64 => (float)column.Doubles[row],
            FieldType.Timestamp => (float)((column.Lanes[row] / 1_000_000) - Epoch),
            _ => column.Lanes[row],
        };
    }

    private LeakTable Done(string path, string labelName, bool carriedAreInputs)
    {
        if (label < 0)
            throw new LeakException($"{path} has no column '{labelName}'; it has {string.Join(", ", schema.Fields.Take(30).Select(f => f.Name))}");
        if (labels.Count == 0)
            throw new LeakException($"{path} has no rows");
        var columns = new List<LeakColumn>();
        for (var c = 0; c < schema.Fields.Count; c++)
        {
            var field = schema.Fields[c];
            if (c == label || roles[c] is ColumnRoles.LabelTime or ColumnRoles.Position || (roles[c] == ColumnRoles.Carried && !carriedAreInputs))
                continue;
            columns.Add(new LeakColumn(field.Name, roles[c], field.Type, [.. values[c]], field.Type == FieldType.String) { IsIdentity = numbers[c].Count > labels.Count / 2 });
            values[c] = [];
        }

        return new LeakTable
        {
            Columns = columns,
            Label = Binary(),
            RawLabel = [.. labels],
            HasLabel = [.. labels.Select(l => !float.IsNaN(l))],
            TimeUs = time < 0 ? null : [.. times],
            KnownUs = knownAt < 0 ? null : [.. known],
            Texts = Enumerable.Range(0, schema.Fields.Count).Where(c => numbers[c].Count > 0)
                .ToDictionary(c => schema.Fields[c].Name, c => (IReadOnlyList<string>)[.. numbers[c].Keys], StringComparer.Ordinal),
            Parts = new Part[labels.Count],
        };
    }

    private bool[] Binary()
    {
        float[] sorted = [.. labels.Where(l => !float.IsNaN(l)).Order()];
        if (sorted.Length == 0)
            throw new LeakException("no row has a label");
        if (schema.Fields[label].Type == FieldType.String)
        {
            var most = sorted.GroupBy(l => l).MaxBy(g => g.Count())!.Key;
            return [.. labels.Select(l => l.Equals(most))];
        }

        var middle = sorted[0].Equals(0f) && sorted[^1].Equals(1f) ? 0.5f : sorted[sorted.Length / 2];
        return [.. labels.Select(l => l > middle)];
    }
}
