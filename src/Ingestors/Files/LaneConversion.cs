using StreamMl.Ingestors.Times;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Files;

/// <summary>A typed value to the type that is wanted, where nothing is lost on the way; else it is a problem of the row.</summary>
internal sealed record LaneConversion(CellBinding Binding, FieldType From)
{
    /// <summary>A timestamp without a zone: it stands on the local calendar.</summary>
    public bool IsLocal { get; init; }

    public void Set(RowChunk chunk, EventColumn column, int row, long lane)
    {
        if (From == Binding.Format.Type && From != FieldType.Timestamp)
        {
            column.Set(row, lane);
            return;
        }

        if (TryConvert(lane, chunk.Rows.Arena, out var converted, out var problem))
        {
            column.Set(row, converted);
            return;
        }

        column.SetNull(row);
        chunk.SetProblem(row, $"column '{Binding.Column}': {Show(lane, chunk.Rows.Arena)} {problem}");
    }

    private bool TryConvert(long lane, Utf8Arena arena, out long converted, out string? problem)
    {
        problem = null;
        converted = lane;
        var time = Binding.Format.Time ?? TimeFormat.Iso;
        switch (From, Binding.Format.Type)
        {
            // A timestamp column without a zone is UTC unless the mapping names another: so most writers mean it.
            case (FieldType.Timestamp, FieldType.Timestamp):
                return !IsLocal || time.Zone is null || time.TryFromLocal(lane, out converted, out problem);
            case (FieldType.Int64, FieldType.Timestamp):
                return time.TryFromNumber(lane, out converted, out problem);
            case (FieldType.Float64, FieldType.Timestamp):
                return time.TryFromFraction(BitConverter.Int64BitsToDouble(lane), out converted, out problem);
            case (FieldType.Int64, FieldType.Float64) when Math.Abs((double)lane) <= 1L << 53:
                converted = BitConverter.DoubleToInt64Bits(lane);
                return true;
            case (FieldType.Float64, FieldType.Int64):
                var number = BitConverter.Int64BitsToDouble(lane);
                converted = (long)number;
                problem = "is not a whole number";
                return number == Math.Floor(number) && Math.Abs(number) <= 1L << 53;
            case (FieldType.Boolean, FieldType.Int64):
                return true;
            case (FieldType.String, _):
                return Binding.Format.TryParse(arena.Slice(lane), arena, out converted, out problem);
            case (_, FieldType.String):
                converted = arena.Append(Show(lane, arena));
                return true;
            default:
                problem = $"is a {From} where a {Binding.Format.Type} is expected";
                return false;
        }
    }

    private string Show(long lane, Utf8Arena arena) => From switch
    {
        FieldType.Boolean => lane != 0 ? "true" : "false",
        FieldType.Float64 => BitConverter.Int64BitsToDouble(lane).ToString("R"),
        FieldType.String => $"'{arena.GetString(lane)}'",
        FieldType.Timestamp => TimeGrid.Format(lane),
        _ => lane.ToString(),
    };
}
