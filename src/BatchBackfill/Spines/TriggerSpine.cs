using StreamMl.BatchBackfill.Logs;
using StreamMl.FeatureEngine.Services;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>A spine with a row per accepted event of the trigger's topic (of those in a range of event time, where one is asked for), in the order (arrival, partition, offset): its position and all its fields.</summary>
internal static class TriggerSpine
{
    public static SpineTable Build(string path, ServiceProgram service, SourceDefinition trigger, LogInput log, LabelTable? labels, (long FromUs, long UntilUs) times, CancellationToken cancellationToken)
    {
        var schema = log.SchemaOf(trigger, trigger.Schema.Fields.Select(f => f.Name));
        var keyFields = service.Keys.Select(k => KeyColumn(schema, trigger, service, k)).ToList();
        EventField[] position =
        [
            new(TriggerColumns.PartitionName, FieldType.Int64, Nullable: false),
            new(TriggerColumns.OffsetName, FieldType.Int64, Nullable: false),
            new(TriggerColumns.ArrivalName, FieldType.Timestamp, Nullable: false),
        ];
        var table = new EventSchema(trigger.Name, [.. position, .. schema.Fields]);
        using var writer = new SpineWriter(path, table, labels);
        using var merge = new AcceptedMerge(trigger, log.Open(schema), schema);
        var row = new EventBatch(table, 1);
        while (merge.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var eventTimeUs = merge.Batch.Events.EventTimesUs[merge.Row];
            if (eventTimeUs < times.FromUs || eventTimeUs >= times.UntilUs)
                continue;
            row.Clear();
            row.Columns[0].Set(0, merge.Partition);
            row.Columns[1].Set(0, merge.Batch.Events.Offsets[merge.Row]);
            row.Columns[2].Set(0, merge.ArrivalClockUs);
            for (var c = 0; c < schema.Fields.Count; c++)
                RowCopy.CopyCell(merge.Batch.Events.Columns[c], merge.Batch.Events.Arena, merge.Row, row.Columns[position.Length + c], row.Arena, 0);
            row.Count = 1;
            writer.Add(row, 0);
        }

        if (writer.Rows == 0)
            throw new BackfillException(Empty(trigger, times, writer.LeftOut));
        writer.Commit();
        return new SpineTable(
            path, writer.Schema, writer.Rows, position.Length + schema.IndexOf(trigger.EventTimeField),
            [.. keyFields.Select(k => position.Length + k)], new TriggerColumns(log.Log, 0, 1, 2), writer.LeftOut);
    }

    private static string Empty(SourceDefinition trigger, (long FromUs, long UntilUs) times, IReadOnlyDictionary<string, long> leftOut)
    {
        var range = times == (long.MinValue, long.MaxValue) ? "" : " with an event time from --from-time and before --until-time";
        return leftOut.Count == 0
            ? $"the log of '{trigger.Name}' has no accepted event{range}: there is no row to compute; widen the range, or archive the events first"
            : $"none of the events of '{trigger.Name}'{range} has a label ({string.Join("; ", leftOut.Select(r => $"{r.Value}: {r.Key}"))}): correct --label, or archive its source further";
    }

    private static int KeyColumn(EventSchema schema, SourceDefinition trigger, ServiceProgram service, ServiceKey key)
    {
        var index = schema.IndexOf(key.Name);
        return index >= 0 && schema.Fields[index].Type == key.Type
            ? index
            : throw new BackfillException($"service '{service.Name}' reads by '{key.Name}' ({key.Type}), which its trigger '{trigger.Name}' {(index < 0 ? "does not have" : $"has as {schema.Fields[index].Type}")}; its events have {string.Join(", ", schema.Fields.Select(f => f.Name))}");
    }
}
