using System.Text.Json;
using Newtonsoft.Json;
using ApacheAvro = global::Avro;

namespace StreamMl.Infrastructure.Avro;

/// <summary>Avro JSON -> <see cref="AvroType"/>; Apache.Avro does the parsing and the checks of the specification. Pure; thread-safe.</summary>
internal sealed class AvroTypeParser
{
    private readonly Dictionary<ApacheAvro.Schema, AvroType> named = new(ReferenceEqualityComparer.Instance);

    /// <exception cref="AvroSchemaException">Not an Avro record schema.</exception>
    public static AvroType ParseRecord(string avsc)
    {
        var type = new AvroTypeParser().Convert(ParseApache(avsc));
        return type.Kind == AvroKind.Record
            ? type
            : throw new AvroSchemaException($"the Avro schema is a {type.Describe()}, an event must be a record", "Write {\"type\": \"record\", \"name\": ..., \"fields\": [...]}");
    }

    private static ApacheAvro.Schema ParseApache(string avsc)
    {
        try
        {
            return ApacheAvro.Schema.Parse(avsc) ?? throw new AvroSchemaException("the Avro schema is empty", "Write a record schema as JSON");
        }
        catch (Exception e) when (e is not (AvroSchemaException or OutOfMemoryException))
        {
            // Apache.Avro lets the exceptions of its JSON reader and a few of its own bugs out as well: all mean that the text is no schema.
            throw new AvroSchemaException($"not a valid Avro schema: {e.Message.TrimEnd('.')}", "Correct it to the Avro specification (JSON, a record with named and typed fields)", e);
        }
    }

    private AvroType Convert(ApacheAvro.Schema schema)
    {
        if (named.TryGetValue(schema, out var known))
            return known;
        return schema switch
        {
            ApacheAvro.LogicalSchema logical => ConvertLogical(logical),
            ApacheAvro.RecordSchema record => ConvertRecord(record),
            ApacheAvro.EnumSchema e => Remember(e, new AvroType(AvroKind.Enum, e.Fullname) { Symbols = [.. e.Symbols], EnumDefault = e.Default }),
            ApacheAvro.FixedSchema f => Remember(f, new AvroType(AvroKind.Fixed, f.Fullname) { Size = f.Size }),
            ApacheAvro.ArraySchema a => WithItems(new AvroType(AvroKind.Array, "array"), a.ItemSchema),
            ApacheAvro.MapSchema m => WithItems(new AvroType(AvroKind.Map, "map"), m.ValueSchema),
            ApacheAvro.UnionSchema u => ConvertUnion(u),
            _ => new AvroType(PrimitiveOf(schema.Tag), schema.Name) { LogicalName = UnknownLogical(schema) },
        };
    }

    private AvroType ConvertRecord(ApacheAvro.RecordSchema record)
    {
        var type = Remember(record, new AvroType(AvroKind.Record, record.Fullname));
        foreach (var field in record.Fields)
        {
            type.Fields.Add(new AvroFieldType(
                field.Name, Convert(field.Schema), [.. field.Aliases ?? []], DefaultOf(field), field.Documentation));
        }

        return type;
    }

    private AvroType ConvertLogical(ApacheAvro.LogicalSchema logical)
    {
        var basis = Convert(logical.BaseSchema);
        var kind = (logical.LogicalTypeName, basis.Kind) switch
        {
            ("date", AvroKind.Int) => AvroLogical.Date,
            ("timestamp-millis", AvroKind.Long) => AvroLogical.TimestampMillis,
            ("timestamp-micros", AvroKind.Long) => AvroLogical.TimestampMicros,
            ("local-timestamp-millis" or "local-timestamp-micros", AvroKind.Long) => AvroLogical.LocalTimestamp,
            ("decimal", AvroKind.Bytes or AvroKind.Fixed) => AvroLogical.Decimal,
            ("uuid", _) => AvroLogical.Uuid,
            _ => AvroLogical.None,
        };
        return Remember(logical, new AvroType(basis.Kind, basis.Name)
        {
            Logical = kind,
            LogicalName = logical.LogicalTypeName,
            Size = basis.Size,
            Precision = kind == AvroLogical.Decimal ? Number(logical, "precision") : 0,
            Scale = kind == AvroLogical.Decimal ? Number(logical, "scale") : 0,
        });
    }

    private AvroType ConvertUnion(ApacheAvro.UnionSchema union)
    {
        var type = new AvroType(AvroKind.Union, "union");
        foreach (var branch in union.Schemas)
            type.Branches.Add(Convert(branch));
        return type;
    }

    private AvroType WithItems(AvroType type, ApacheAvro.Schema items)
    {
        type.Items = Convert(items);
        return type;
    }

    private AvroType Remember(ApacheAvro.Schema schema, AvroType type)
    {
        named[schema] = type;
        return type;
    }

    private static int Number(ApacheAvro.Schema schema, string property) => int.TryParse(schema.GetProperty(property), out var n) ? n : 0;

    private static string? UnknownLogical(ApacheAvro.Schema schema) => schema.GetProperty("logicalType")?.Trim('"');

    private static JsonElement? DefaultOf(ApacheAvro.Field field)
    {
        if (field.DefaultValue is null)
            return null;
        using var document = JsonDocument.Parse(field.DefaultValue.ToString(Formatting.None));
        return document.RootElement.Clone();
    }

    private static AvroKind PrimitiveOf(ApacheAvro.Schema.Type tag) => tag switch
    {
        ApacheAvro.Schema.Type.Null => AvroKind.Null,
        ApacheAvro.Schema.Type.Boolean => AvroKind.Boolean,
        ApacheAvro.Schema.Type.Int => AvroKind.Int,
        ApacheAvro.Schema.Type.Long => AvroKind.Long,
        ApacheAvro.Schema.Type.Float => AvroKind.Float,
        ApacheAvro.Schema.Type.Double => AvroKind.Double,
        ApacheAvro.Schema.Type.Bytes => AvroKind.Bytes,
        ApacheAvro.Schema.Type.String => AvroKind.String,
        _ => throw new AvroSchemaException($"the Avro schema has a type '{tag}' that events cannot have", "Use the types of the Avro specification for records"),
    };
}
