using StreamMl.BatchBackfill.PointInTime;
using StreamMl.BatchBackfill.Spines;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill.Parity;

/// <summary>Compares the served columns of a spine with the recomputed ones. One use.</summary>
internal sealed class VectorComparison(ServiceProgram service, ServedSpine spine, IReadOnlyDictionary<string, FeatureScratch> outputs, int maxDifferences)
{
    private readonly List<ParityDifference> differences = [];
    private long compared;
    private long differing;

    public ParityReport Run()
    {
        using var reader = new ArrowTableReader(spine.Table.Path);
        var batch = new EventBatch(reader.Schema, 1);
        var recomputed = new EventBatch(new EventSchema(service.Name, [.. service.Columns.Select(c => new EventField(c.FullName, c.Type, Nullable: true))]), 1);
        var rows = 0L;
        while (reader.Read(batch, SpineTable.BatchRows))
        {
            recomputed.Clear();
            recomputed.EnsureCapacity(batch.Count);
            foreach (var view in service.Views)
                CompareView(view, batch, recomputed, rows);
            rows += batch.Count;
        }

        return new ParityReport(service.Name, rows, compared, differing, differences) { LeftOut = spine.LeftOut };
    }

    private void CompareView(ServiceView view, EventBatch served, EventBatch recomputed, long firstRow)
    {
        var output = outputs[view.Name];
        for (var i = 0; i < output.ServiceColumns.Count; i++)
        {
            var column = output.ServiceColumns[i];
            var left = served.Columns[spine.Schema.FirstColumn + column];
            var right = recomputed.Columns[column];
            output.Read(i, firstRow, served.Count, right, recomputed.Arena);
            for (var row = 0; row < served.Count; row++)
            {
                compared++;
                if (AreSame(left, served.Arena, right, recomputed.Arena, row))
                    continue;
                differing++;
                if (differences.Count < maxDifferences)
                    differences.Add(Describe(view, column, served, recomputed, row));
            }
        }
    }

    private static bool AreSame(EventColumn left, Utf8Arena leftArena, EventColumn right, Utf8Arena rightArena, int row)
    {
        if (left.Valid[row] != right.Valid[row])
            return false;
        if (left.Valid[row] == 0)
            return true;
        return left.Type == FieldType.String ? leftArena.Slice(left.Lanes[row]).SequenceEqual(rightArena.Slice(right.Lanes[row])) : left.Lanes[row] == right.Lanes[row];
    }

    private ParityDifference Describe(ServiceView view, int column, EventBatch served, EventBatch recomputed, int row)
    {
        var arena = new Utf8Arena();
        var key = EntityKey.Append(arena, served, [.. view.KeySlots.Select(s => spine.Table.KeyColumns[s])], row);
        var position = spine.Find(served, row, view.Name);
        var trigger = served.Columns[1].Valid[row] == 0 ? null : $"{service.Definition.Trigger}/{served.Columns[1].Lanes[row]} offset {served.Columns[2].Lanes[row]}";
        return new ParityDifference(
            service.Columns[column].FullName, key < 0 ? "(null)" : arena.GetString(key), TimeGrid.Format(served.Columns[0].Lanes[row]),
            position is var (partition, next) ? $"{view.Program.Log}/{partition} [0, {next})" : "(not read)", trigger,
            Show(served.Columns[spine.Schema.FirstColumn + column], served.Arena, row), Show(recomputed.Columns[column], recomputed.Arena, row));
    }

    private static string Show(EventColumn column, Utf8Arena arena, int row)
    {
        var lane = column.Lanes[row];
        return column.Valid[row] == 0
            ? "null"
            : column.Type switch
            {
                FieldType.String => $"\"{arena.GetString(lane)}\"",
                FieldType.Boolean => lane != 0 ? "true" : "false",
                FieldType.Float64 => $"{BitConverter.Int64BitsToDouble(lane):R} (0x{lane:x16})",
                FieldType.Timestamp => TimeGrid.Format(lane),
                _ => $"{lane}",
            };
    }
}
