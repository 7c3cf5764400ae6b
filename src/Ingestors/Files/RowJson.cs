using System.Text.Json;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Files;

/// <summary>A row as a JSON object: what a dead letter shows of a row that has no text of its own.</summary>
internal static class RowJson
{
    public static byte[] Write(EventBatch batch, int row)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            for (var i = 0; i < batch.Columns.Count; i++)
            {
                json.WritePropertyName(batch.Schema.Fields[i].Name);
                WriteCell(json, batch, batch.Columns[i], row);
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WriteCell(Utf8JsonWriter json, EventBatch batch, EventColumn column, int row)
    {
        var lane = column.Lanes[row];
        if (column.Valid[row] == 0)
            json.WriteNullValue();
        else if (column.Type == FieldType.String)
            json.WriteStringValue(batch.Arena.Slice(lane));
        else if (column.Type == FieldType.Boolean)
            json.WriteBooleanValue(lane != 0);
        else if (column.Type == FieldType.Int64)
            json.WriteNumberValue(lane);
        else if (column.Type == FieldType.Timestamp)
            json.WriteStringValue(TimeGrid.Format(lane));
        else if (double.IsFinite(BitConverter.Int64BitsToDouble(lane)))
            json.WriteNumberValue(BitConverter.Int64BitsToDouble(lane));
        else
            json.WriteStringValue(BitConverter.Int64BitsToDouble(lane).ToString());
    }
}
