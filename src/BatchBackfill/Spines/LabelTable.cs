using System.IO.Hashing;
using StreamMl.BatchBackfill.Logs;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>The labels of a rule by join key. Keys are kept as 128-bit hashes of their canonical text: two of a billion keys coincide once in 10^20.</summary>
internal sealed class LabelTable
{
    private readonly Dictionary<UInt128, (long Lane, bool Valid)> labels = [];
    private readonly LabelRule rule;

    private LabelTable(LabelRule rule, FieldType type) => (this.rule, Type) = (rule, type);

    public FieldType Type { get; }

    public string Name => rule.Name;

    public string Column => rule.SpineColumn;

    public string MissingReason => $"no label: no event of '{rule.Source}' has this {rule.Field} (cancelled, or not yet known)";

    public string NullReason => $"no label: '{rule.Expression}' is null";

    public static LabelTable Read(LabelRule rule, SourceDefinition source, LogInput log)
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
                table.labels[XxHash128.HashToUInt128(arena.Slice(key))] = (into.Lanes[0], into.Valid[0] != 0);
        }

        return table;
    }

    /// <summary>The label of a row, or the reason why it has none.</summary>
    public string? Find(ReadOnlySpan<byte> key, out long lane)
    {
        if (!labels.TryGetValue(XxHash128.HashToUInt128(key), out var label))
        {
            lane = 0;
            return MissingReason;
        }

        lane = label.Lane;
        return label.Valid ? null : NullReason;
    }
}
