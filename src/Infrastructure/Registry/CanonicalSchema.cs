using System.Text.Json;
using System.Text.Json.Nodes;
using Avro;
using StreamMl.Infrastructure.Avro;

namespace StreamMl.Infrastructure.Registry;

/// <summary>
/// The text by which the registry knows a schema: whitespace and the order of properties do not count; doc, aliases, defaults and
/// the order of fields do.
/// </summary>
internal static class CanonicalSchema
{
    /// <exception cref="RegistryException">42201: not an Avro schema.</exception>
    public static string Of(string schema)
    {
        if (string.IsNullOrWhiteSpace(schema)) throw new RegistryException(42201, "Empty schema");
        try
        {
            AvroCompatibility.Parse(schema);
            return Sorted(JsonNode.Parse(schema))?.ToJsonString() ?? "null";
        }
        catch (JsonException)
        {
            // A bare type name.
            return JsonSerializer.Serialize(schema.Trim());
        }
        catch (AvroException e)
        {
            throw RegistryException.Invalid(e.Message, e);
        }
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonArray array => new JsonArray([.. array.Select(Sorted)]),
        JsonObject record => new JsonObject(record.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        null => null,
        _ => node.DeepClone(),
    };
}
