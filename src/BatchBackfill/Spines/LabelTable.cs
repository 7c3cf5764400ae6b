using System.IO.Hashing;
using StreamMl.BatchBackfill.Logs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>The labels of a rule by join key. Keys are kept as 128-bit hashes of their canonical text: two of a billion keys coincide once in 10^20.</summary>
internal sealed class LabelTable
{
    /// <summary>A key, a label and the dictionary's own words, with room to grow.</summary>
    private const long BytesPerLabel = 112;

    private readonly Dictionary<UInt128, Label> labels = [];
    private readonly LabelRule rule;

    private LabelTable(LabelRule rule, FieldType type) => (this.rule, Type) = (rule, type);

    public FieldType Type { get; }

    public string Name => rule.Name;

    /// <summary>Name of the column that says when the label could first be known: the arrival of the event that it comes from.</summary>
    public string KnownAtName => KnownAtColumn(rule.Name);

    public string Column => rule.SpineColumn;

    public string MissingReason => $"no label: no event of '{rule.Source}' has this {rule.Field} (cancelled, or not yet known)";

    public string NullReason => $"no label: '{rule.Expression}' is null";

    /// <exception cref="BackfillException">More labels than <paramref name="maxBytes"/> can hold.</exception>
    public static LabelTable Read(LabelRule rule, SourceDefinition source, LogInput log, long maxBytes)
    {
        var expression = rule.Compile(source);
        var table = new LabelTable(rule, expression.Type);
        var schema = log.SchemaOf(source, expression.Fields.Append(rule.Field));
        var keys = new KeyFields(schema, [rule.Field]);
        var row = new FeedBatch(schema);
        var into = new EventColumn(expression.Type, 1);
        using var merge = new AcceptedMerge(source, log.Open(schema), schema);
        var arena = new Utf8Arena();
        while (merge.MoveNext())
        {
            row.Clear(1);
            RowCopy.Append(merge.Batch.Events, merge.Row, row);
            expression.Evaluate(row.Events, row.Events.Column, into);
            arena.Clear();
            var key = keys.Append(arena, row.Events, 0);
            if (key >= 0)
                table.labels[XxHash128.HashToUInt128(arena.Slice(key))] = new Label(into.Lanes[0], into.Valid[0] != 0, merge.ArrivalClockUs);
            if (table.labels.Count * BytesPerLabel > maxBytes)
                throw new BackfillException($"--label: '{source.Name}' has more than {table.labels.Count - 1} keys, whose labels do not fit {maxBytes >> 20} MiB (a quarter of --memory): raise --memory, or join the label into a spine file and give it by --spine");
        }

        return table;
    }

    /// <summary>The label of a row, or the reason why it has none.</summary>
    public string? Find(ReadOnlySpan<byte> key, out Label label)
    {
        if (!labels.TryGetValue(XxHash128.HashToUInt128(key), out label))
            return MissingReason;
        return label.IsValid ? null : NullReason;
    }

    public static string KnownAtColumn(string label) => $"{label}_known_at";
}

/// <summary>A label and when it could first be known.</summary>
internal readonly record struct Label(long Lane, bool IsValid, long KnownAtUs);
