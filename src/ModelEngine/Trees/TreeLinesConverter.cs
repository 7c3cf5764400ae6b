using System.Text.Json;
using System.Text.Json.Serialization;
using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Trees;

/// <summary>One line per tree: an indented array of thousands of numbers can be neither read nor compared. Thresholds may be <c>"Infinity"</c>.</summary>
internal sealed class TreeLinesConverter : JsonConverter<IReadOnlyList<DecisionTree>>
{
    private static readonly JsonSerializerOptions Line = new(PipelineJson.Options) { WriteIndented = false, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public override IReadOnlyList<DecisionTree> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize<DecisionTree[]>(ref reader, Line) ?? throw new JsonException("trees is null");

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<DecisionTree> value, JsonSerializerOptions options)
    {
        // The writer gives no new lines to raw values, so the whole array is one of them.
        var lines = value.Select(tree => JsonSerializer.Serialize(tree, Line));
        writer.WriteRawValue(value.Count == 0 ? "[]" : $"[\n{string.Join(",\n", lines)}\n]");
    }
}
