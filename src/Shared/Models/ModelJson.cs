using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace StreamMl.Shared.Models;

/// <summary>
/// The one way in which models' documents are written: indented, camel case, dictionaries in ordinal order, a newline at the end. The same
/// value gives the same bytes. Pure; thread-safe.
/// </summary>
public static class ModelJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new SortedDictionaryConverter(), new JsonStringEnumConverter() },
    };

    public static byte[] Write<T>(T value) => [.. JsonSerializer.SerializeToUtf8Bytes(value, Options), (byte)'\n'];

    /// <param name="json">The document.</param>
    /// <param name="source">Where it stands, for the message.</param>
    /// <exception cref="ModelException">Not such a document.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, string source)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Options) ?? throw new ModelException($"{source} is empty; restore it from a copy, or train the model again");
        }
        catch (JsonException e)
        {
            throw new ModelException($"{source}: {e.Message} Restore it from a copy, or train the model again");
        }
    }

    /// <summary>Dictionaries keep the order in which they were filled; a document must not.</summary>
    private sealed class SortedDictionaryConverter : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) =>
            typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) && typeToConvert.GetGenericArguments()[0] == typeof(string);

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(Sorted<>).MakeGenericType(typeToConvert.GetGenericArguments()[1]))!;

        private sealed class Sorted<T> : JsonConverter<IReadOnlyDictionary<string, T>>
        {
            public override IReadOnlyDictionary<string, T>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
                JsonSerializer.Deserialize<Dictionary<string, T>>(ref reader, options) is { } read ? new SortedDictionary<string, T>(read, StringComparer.Ordinal) : null;

            public override void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, T> value, JsonSerializerOptions options)
            {
                writer.WriteStartObject();
                foreach (var (key, item) in value.OrderBy(p => p.Key, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(key);
                    JsonSerializer.Serialize(writer, item, options);
                }

                writer.WriteEndObject();
            }
        }
    }
}
