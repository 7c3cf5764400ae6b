using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>A row of a column -> Avro. Pure; thread-safe.</summary>
internal static class LaneWriter
{
    public static bool Write(EventColumn column, int row, Utf8Arena arena, AvroType type, ByteScratch to)
    {
        if (type.Kind != AvroKind.Union)
            return WriteValue(column, row, arena, type, to);
        var start = to.Length;
        for (var i = 0; i < type.Branches.Count; i++)
        {
            to.AppendVarint(i);
            if (WriteValue(column, row, arena, type.Branches[i], to))
                return true;
            to.Truncate(start);
        }

        return false;
    }

    public static string Show(EventColumn column, int row, Utf8Arena arena) => column.Valid[row] == 0
        ? "null"
        : column.Type switch
        {
            FieldType.String => EncodeProblem.Quote(arena.GetString(column.Lanes[row])),
            FieldType.Float64 => $"{column.Doubles[row]}",
            FieldType.Timestamp => $"{column.Lanes[row]} microseconds",
            _ => $"{column.Lanes[row]}",
        };

    private static bool WriteValue(EventColumn column, int row, Utf8Arena arena, AvroType type, ByteScratch to)
    {
        if (column.Valid[row] == 0)
            return type.Kind == AvroKind.Null;
        var lane = column.Lanes[row];
        return column.Type switch
        {
            FieldType.Boolean => ScalarWriter.TryBoolean(type, lane != 0, to),
            FieldType.Int64 => ScalarWriter.TryWhole(type, lane, to),
            FieldType.Float64 => ScalarWriter.TryNumber(type, BitConverter.Int64BitsToDouble(lane), to),
            FieldType.String => ScalarWriter.TryUtf8(type, arena.Slice(lane), to),
            FieldType.Timestamp => ScalarWriter.TryTime(type, lane, to),
            _ => false,
        };
    }
}
