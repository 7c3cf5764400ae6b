using System.Globalization;
using StreamMl.BatchBackfill.Logs;
using StreamMl.BatchBackfill.PointInTime;
using StreamMl.BatchBackfill.Spines;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Parity;

/// <summary>Served vectors as a spine: a row per answer, its keys as the types that the service reads by, every prefix as it was reported.</summary>
internal sealed class ServedSpine : IServedPrefixes
{
    private readonly Dictionary<string, int> positionColumn = new(StringComparer.Ordinal);

    private ServedSpine(SpineTable table, ServedVectorSchema schema, IReadOnlyDictionary<string, int> leftOut)
    {
        (Table, Schema, LeftOut) = (table, schema, leftOut);
        for (var v = 0; v < schema.Views.Count; v++)
            positionColumn[schema.Views[v]] = schema.FirstView + (3 * v);
    }

    public SpineTable Table { get; }

    public ServedVectorSchema Schema { get; }

    /// <summary>Files of other definitions of the service, by their first digits.</summary>
    public IReadOnlyDictionary<string, int> LeftOut { get; }

    public bool OnlyServed => true;

    public static ServedSpine Build(string path, string directory, ServiceProgram service, int every)
    {
        var schema = ServedPrefixes.SchemaOf(service);
        var fields = schema.ToTable().Fields.ToArray();
        for (var k = 0; k < service.Keys.Count; k++)
            fields[ServedVectorSchema.FirstKey + k] = new EventField(service.Keys[k].Name, service.Keys[k].Type, Nullable: true);
        var table = new EventSchema(service.Name, fields);
        using var reader = new ServedVectorReader(directory, schema, leaveOutOthers: true);
        using var writer = new SpineWriter(path, table, null);
        var read = new EventBatch(reader.Table, 1);
        var row = new EventBatch(table, 1);
        var seen = 0L;
        while (reader.Read(read, 8192))
        {
            for (var i = 0; i < read.Count; i++)
            {
                if (seen++ % every != 0)
                    continue;
                row.Clear();
                for (var c = 0; c < fields.Length; c++)
                {
                    if (read.Columns[c].Type == row.Columns[c].Type)
                        RowCopy.CopyCell(read.Columns[c], read.Arena, i, row.Columns[c], row.Arena, 0);
                    else
                        SetKey(read, c, i, row.Columns[c]);
                }

                row.Count = 1;
                writer.Add(row, 0);
            }
        }

        writer.Commit();
        var keys = Enumerable.Range(ServedVectorSchema.FirstKey, service.Keys.Count).ToList();
        return new ServedSpine(new SpineTable(path, table, writer.Rows, 0, keys, null, writer.LeftOut), schema, reader.LeftOut);
    }

    public (int Partition, long NextOffset)? Find(EventBatch spine, int row, string view)
    {
        var column = positionColumn[view];
        return spine.Columns[column].Valid[row] == 0 ? null : ((int)spine.Columns[column].Lanes[row], spine.Columns[column + 1].Lanes[row]);
    }

    private static void SetKey(EventBatch read, int column, int row, EventColumn into)
    {
        if (read.Columns[column].Valid[row] == 0)
        {
            into.SetNull(0);
            return;
        }

        var text = read.Arena.GetString(read.Columns[column].Lanes[row]);
        into.Set(0, into.Type == FieldType.Boolean ? (text == "true" ? 1 : 0) : long.Parse(text, CultureInfo.InvariantCulture));
    }
}
