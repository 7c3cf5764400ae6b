using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using StreamMl.Infrastructure.Catalogs;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Infrastructure.Tests.Catalogs;

/// <summary>docs/catalog.schema.json, by which editors complete and check, says what the loader says.</summary>
public sealed class JsonSchemaTests
{
    private static readonly JsonElement Schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "catalog.schema.json"))).RootElement;

    [Fact]
    public void Schema_EverySampleCatalogue_IsValid()
    {
        var samples = Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Find(), "samples"), "catalog.yaml", SearchOption.AllDirectories).ToList();
        samples.ShouldNotBeEmpty();
        foreach (var sample in samples)
            Problems(File.ReadAllText(sample)).ShouldBeEmpty(sample);
    }

    [Theory]
    [InlineData("", nameof(YamlKeys.Catalog))]
    [InlineData("source", nameof(YamlKeys.Source))]
    [InlineData("view", nameof(YamlKeys.View))]
    [InlineData("service", nameof(YamlKeys.Service))]
    public void Schema_Keys_AreTheLoaders(string definition, string keys)
    {
        var part = definition.Length == 0 ? Schema : Schema.GetProperty("definitions").GetProperty(definition);
        var known = (string[])typeof(YamlKeys).GetField(keys)!.GetValue(null)!;
        part.GetProperty("properties").EnumerateObject().Select(p => p.Name).Order().ShouldBe(known.Order());
    }

    [Theory]
    [InlineData("views: { v: { source: s, entity: e, features: [count], widows: [1h] } }")]
    [InlineData("views: { v: { source: s, features: [count] } }")]
    [InlineData("views: { v: { source: s, entity: e, features: [count], hop: 10m } }")]
    [InlineData("sources: { s: { schema: s.avsc } }")]
    [InlineData("sources: { s: { schema: s.avsc, key: k, partitions: 0 } }")]
    [InlineData("services: { s: { features: [v.a], servingDelay: soon } }")]
    [InlineData("entities: { a: [1x] }")]
    public void Schema_Mistake_IsRefused(string yaml) => Problems(yaml).ShouldNotBeEmpty();

    private static List<string> Problems(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        var problems = new List<string>();
        MiniSchema.Check(Schema, Schema, ToJson(stream.Documents[0].RootNode), "", problems);
        return problems;
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" } => null,
        YamlScalarNode { Style: ScalarStyle.Plain } plain when long.TryParse(plain.Value, out var number) => JsonValue.Create(number),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => null,
    };

    /// <summary>The part of JSON Schema that ours uses; it throws on any other keyword, so that nothing passes unread.</summary>
    private static class MiniSchema
    {
        public static void Check(JsonElement root, JsonElement schema, JsonNode? value, string path, List<string> problems)
        {
            foreach (var rule in schema.EnumerateObject())
            {
                if (!Holds(root, schema, rule, value, path, problems))
                    problems.Add($"{path}: {value?.ToJsonString() ?? "null"} breaks {rule.Name} {rule.Value.GetRawText()}");
            }
        }

        private static bool Holds(JsonElement root, JsonElement schema, JsonProperty rule, JsonNode? value, string path, List<string> problems)
        {
            switch (rule.Name)
            {
                case "$schema" or "$id" or "title" or "description" or "default" or "definitions":
                    return true;
                case "$ref":
                    Check(root, root.GetProperty("definitions").GetProperty(rule.Value.GetString()!["#/definitions/".Length..]), value, path, problems);
                    return true;
                case "type":
                    return rule.Value.ValueKind == JsonValueKind.Array ? rule.Value.EnumerateArray().Any(t => IsType(t.GetString()!, value)) : IsType(rule.Value.GetString()!, value);
                case "enum":
                    return rule.Value.EnumerateArray().Any(e => e.GetString() == value?.ToString());
                case "pattern":
                    return value is not JsonValue || !IsType("string", value) || Regex.IsMatch(value.ToString(), rule.Value.GetString()!, RegexOptions.None, TimeSpan.FromSeconds(1));
                case "minimum":
                    return !IsType("integer", value) || value!.GetValue<long>() >= rule.Value.GetInt64();
                case "maximum":
                    return !IsType("integer", value) || value!.GetValue<long>() <= rule.Value.GetInt64();
                case "required":
                    return value is not JsonObject some || rule.Value.EnumerateArray().All(r => some.ContainsKey(r.GetString()!));
                case "minItems":
                    return value is not JsonArray list || list.Count >= rule.Value.GetInt32();
                case "uniqueItems":
                    return value is not JsonArray items || items.Select(i => i?.ToJsonString()).Distinct().Count() == items.Count;
                case "anyOf" or "oneOf":
                    var passing = rule.Value.EnumerateArray().Count(s => Passes(root, s, value));
                    return rule.Name == "anyOf" ? passing > 0 : passing == 1;
                case "items":
                    foreach (var (item, i) in value is JsonArray array ? array.Select((v, i) => (v, i)) : [])
                        Check(root, rule.Value, item, $"{path}/{i}", problems);
                    return true;
                case "propertyNames":
                    return value is not JsonObject named || named.All(p => Passes(root, rule.Value, JsonValue.Create(p.Key)));
                case "properties":
                    foreach (var property in rule.Value.EnumerateObject().Where(p => value is JsonObject o && o.ContainsKey(p.Name)))
                        Check(root, property.Value, ((JsonObject)value!)[property.Name], $"{path}/{property.Name}", problems);
                    return true;
                case "additionalProperties":
                    foreach (var (key, more) in value is JsonObject obj ? obj.Where(p => !schema.TryGetProperty("properties", out var known) || !known.TryGetProperty(p.Key, out _)) : [])
                    {
                        if (rule.Value.ValueKind == JsonValueKind.False)
                            return false;
                        Check(root, rule.Value, more, $"{path}/{key}", problems);
                    }

                    return true;
                default:
                    throw new InvalidOperationException($"the checker does not know {rule.Name}");
            }
        }

        private static bool Passes(JsonElement root, JsonElement schema, JsonNode? value)
        {
            var problems = new List<string>();
            Check(root, schema, value, "", problems);
            return problems.Count == 0;
        }

        private static bool IsType(string type, JsonNode? value) => type switch
        {
            "object" => value is JsonObject,
            "array" => value is JsonArray,
            "null" => value is null,
            "integer" or "number" => value is JsonValue v && v.GetValueKind() == JsonValueKind.Number,
            "boolean" => value is JsonValue v && v.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
            _ => value is JsonValue v && v.GetValueKind() == JsonValueKind.String,
        };
    }
}
