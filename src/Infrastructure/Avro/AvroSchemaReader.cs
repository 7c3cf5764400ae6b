using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>A field that features cannot read.</summary>
/// <param name="Name">Its name.</param>
/// <param name="AvroType">Its type as messages name it: array of string.</param>
/// <param name="Reason">Why it cannot be read, and what to do.</param>
public sealed record SkippedField(string Name, string AvroType, string Reason);

/// <summary>The readable fields of an Avro record, and those that are not.</summary>
public sealed record AvroEventSchema(EventSchema Schema, IReadOnlyList<SkippedField> Skipped);

/// <summary>
/// Avro JSON -> <see cref="EventSchema"/>. Readable: boolean, int, long, float, double, string, enum (as string), uuid on string, date,
/// timestamp-millis, timestamp-micros, and each of them in a union with null. Pure; thread-safe.
/// </summary>
public static class AvroSchemaReader
{
    /// <exception cref="AvroSchemaException">Not an Avro record schema.</exception>
    public static EventSchema ReadEventSchema(string avsc) => Read(avsc).Schema;

    /// <exception cref="AvroSchemaException">Not an Avro record schema.</exception>
    public static AvroEventSchema Read(string avsc)
    {
        var record = AvroTypeParser.ParseRecord(avsc);
        var fields = new List<EventField>();
        var skipped = new List<SkippedField>();
        foreach (var field in record.Fields)
        {
            if (FieldTypeOf(field.Type, out var nullable) is { } type)
                fields.Add(new EventField(field.Name, type, nullable, field.Doc));
            else
                skipped.Add(new SkippedField(field.Name, field.Type.Describe(), ReasonOf(field.Type)));
        }

        return new AvroEventSchema(new EventSchema(record.Name, fields), skipped);
    }

    /// <summary>What a column of this type holds; null where features cannot read it.</summary>
    internal static FieldType? FieldTypeOf(AvroType type, out bool nullable) => type.ValueType(out nullable) switch
    {
        null or { Logical: AvroLogical.Decimal or AvroLogical.LocalTimestamp } => null,
        { IsTimestamp: true } => FieldType.Timestamp,
        { Kind: AvroKind.Boolean } => FieldType.Boolean,
        { Kind: AvroKind.Int or AvroKind.Long } => FieldType.Int64,
        { Kind: AvroKind.Float or AvroKind.Double } => FieldType.Float64,
        { Kind: AvroKind.String or AvroKind.Enum } => FieldType.String,
        _ => null,
    };

    private static string ReasonOf(AvroType type)
    {
        const string readable = "features read boolean, int, long, float, double, string, enum, date, timestamp-millis and timestamp-micros, each also in a union with null";
        return type.ValueType(out _) switch
        {
            null => $"it is a {type.Describe()}; only unions of null and one other type can be read: split it into one nullable field per type",
            { Logical: AvroLogical.LocalTimestamp } => "a local timestamp names no instant; send a timestamp-millis or timestamp-micros in UTC",
            { Logical: AvroLogical.Decimal } => "a decimal is not read; add a double, or a long in the smallest unit (cents)",
            { Kind: AvroKind.Record } => $"it is a nested record; add the fields that you need to the top level: {readable}",
            _ => $"it is a {type.Describe()}; {readable}",
        };
    }
}
