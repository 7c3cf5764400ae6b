using Apache.Arrow;
using Apache.Arrow.Types;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>Arrow types and field types, both ways. Pure.</summary>
internal static class ArrowFields
{
    public static IArrowType TypeOf(FieldType type) => type switch
    {
        FieldType.Boolean => BooleanType.Default,
        FieldType.Int64 => Int64Type.Default,
        FieldType.Float64 => DoubleType.Default,
        FieldType.String => StringType.Default,
        FieldType.Timestamp => new TimestampType(TimeUnit.Microsecond, "UTC"),
        _ => throw new InvalidOperationException($"no Arrow type for {type}"),
    };

    /// <summary>Null where the type cannot be read as a field.</summary>
    public static FieldType? TypeOf(IArrowType type) => type switch
    {
        BooleanType => FieldType.Boolean,
        Int8Type or Int16Type or Int32Type or Int64Type or UInt8Type or UInt16Type or UInt32Type => FieldType.Int64,
        FloatType or DoubleType => FieldType.Float64,
        StringType or LargeStringType => FieldType.String,
        DictionaryType { ValueType: StringType, IndexType: Int8Type or Int16Type or Int32Type } => FieldType.String,
        TimestampType or Date32Type => FieldType.Timestamp,
        _ => null,
    };

    public static Schema ToArrow(EventSchema schema, IReadOnlyDictionary<string, string> metadata) =>
        new([.. schema.Fields.Select(f => new Field(f.Name, TypeOf(f.Type), f.Nullable))], metadata);

    /// <param name="only">The columns that are wanted; null: all. Others are neither read nor listed as skipped.</param>
    public static (EventSchema Schema, int[] Columns, IReadOnlyList<SkippedColumn> Skipped) FromArrow(string name, Schema schema, IReadOnlySet<string>? only = null)
    {
        var fields = new List<EventField>();
        var columns = new List<int>();
        var skipped = new List<SkippedColumn>();
        for (var i = 0; i < schema.FieldsList.Count; i++)
        {
            var field = schema.FieldsList[i];
            if (only?.Contains(field.Name) == false)
                continue;
            if (TypeOf(field.DataType) is { } type && fields.TrueForAll(f => f.Name != field.Name))
            {
                fields.Add(new EventField(field.Name, type, Nullable: true));
                columns.Add(i);
            }
            else
            {
                skipped.Add(new SkippedColumn(field.Name, field.DataType.Name));
            }
        }

        return (new EventSchema(name, fields), [.. columns], skipped);
    }
}
