using System.Text;
using System.Text.Json;

namespace StreamMl.Infrastructure.Avro;

/// <summary>The constant that a reader's default gives in a column. Pure.</summary>
internal static class FieldDefault
{
    /// <summary>A lane, or a text in UTF-8, or neither: null.</summary>
    /// <exception cref="AvroSchemaException">The default is not a value of the field's type.</exception>
    public static (long? Lane, byte[]? Text) Of(AvroFieldType field, JsonElement value)
    {
        var type = field.Type.ValueType(out var nullable)!;
        if (value.ValueKind == JsonValueKind.Null && nullable)
            return default;
        switch (type.Kind, value.ValueKind)
        {
            case (AvroKind.Boolean, JsonValueKind.True or JsonValueKind.False):
                return (value.GetBoolean() ? 1 : 0, null);
            case (AvroKind.Int or AvroKind.Long, JsonValueKind.Number) when value.TryGetInt64(out var whole):
                if (!type.IsTimestamp)
                    return (whole, null);
                if (TimeUnit.All[TimeUnit.IndexOf(type.Logical)].TryToMicros(whole, out var micros))
                    return (micros, null);
                break;
            case (AvroKind.Float, JsonValueKind.Number):
                return (BitConverter.DoubleToInt64Bits((float)value.GetDouble()), null);
            case (AvroKind.Double, JsonValueKind.Number):
                return (BitConverter.DoubleToInt64Bits(value.GetDouble()), null);
            case (AvroKind.String or AvroKind.Enum, JsonValueKind.String):
                return (null, Encoding.UTF8.GetBytes(value.GetString()!));
        }

        throw new AvroSchemaException($"the default {value.GetRawText()} of field '{field.Name}' is not a {type.Describe()}", "Correct the default in the source's schema");
    }
}
