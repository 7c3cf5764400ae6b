using StreamMl.BatchBackfill.Logs;
using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>Writes kept rows of a spine, with their label, into its Arrow file, and counts those that are left out. Not thread-safe.</summary>
internal sealed class SpineWriter : IDisposable
{
    private readonly ArrowTableWriter writer;
    private readonly EventBatch batch;
    private readonly LabelTable? labels;
    private readonly KeyFields? labelKey;
    private readonly Utf8Arena arena = new();
    private readonly SortedDictionary<string, long> leftOut = new(StringComparer.Ordinal);

    public SpineWriter(string path, EventSchema columns, LabelTable? labels)
    {
        this.labels = labels;
        if (labels is not null && columns.IndexOf(labels.Column) < 0)
            throw new BackfillException($"--label joins on '{labels.Column}', which the spine does not have; it has {string.Join(", ", columns.Fields.Select(f => f.Name))}");
        if (labels is not null && new[] { labels.Name, labels.KnownAtName }.FirstOrDefault(n => columns.IndexOf(n) >= 0) is { } taken)
            throw new BackfillException($"--label makes a column '{taken}', which the spine has already: name it otherwise, as in --label \"{labels.Name}_2: ...\"");
        Schema = labels is null ? columns : new EventSchema(columns.Name, [.. columns.Fields, new EventField(labels.Name, labels.Type, Nullable: false), new EventField(labels.KnownAtName, FieldType.Timestamp, Nullable: false)]);
        labelKey = labels is null ? null : new KeyFields(columns, [labels.Column]);
        batch = new EventBatch(Schema, SpineTable.BatchRows);
        writer = new ArrowTableWriter(path, Schema);
    }

    public EventSchema Schema { get; }

    public long Rows { get; private set; }

    public IReadOnlyDictionary<string, long> LeftOut => leftOut;

    /// <summary>Takes a row of the columns that the writer was made for, if it has a label.</summary>
    public void Add(EventBatch from, int row)
    {
        var label = default(Label);
        if (labels is not null && LabelOf(from, row, out label) is { } reason)
        {
            leftOut[reason] = leftOut.GetValueOrDefault(reason) + 1;
            return;
        }

        var at = batch.Count;
        var columns = from.Columns.Count;
        for (var c = 0; c < columns; c++)
            RowCopy.CopyCell(from.Columns[c], from.Arena, row, batch.Columns[c], batch.Arena, at);
        if (labels is not null)
        {
            batch.Columns[columns].Set(at, label.Lane);
            batch.Columns[columns + 1].Set(at, label.KnownAtUs);
        }

        batch.Count++;
        Rows++;
        if (batch.Count == SpineTable.BatchRows)
            Flush();
    }

    public void Commit()
    {
        Flush();
        writer.Commit();
    }

    public void Dispose() => writer.Dispose();

    private string? LabelOf(EventBatch from, int row, out Label label)
    {
        arena.Clear();
        var key = labelKey!.Append(arena, from, row);
        label = default;
        return key < 0 ? $"no label: {labels!.Column} is null" : labels!.Find(arena.Slice(key), out label);
    }

    private void Flush()
    {
        if (batch.Count == 0)
            return;
        writer.Write(batch);
        batch.Clear();
    }
}
