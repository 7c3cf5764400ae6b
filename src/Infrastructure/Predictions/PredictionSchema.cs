using System.Text;
using System.Text.Json;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Predictions;

/// <summary>A column that predictions carry, and its name in their Avro schema.</summary>
/// <param name="Name">The trigger's field or the model's input.</param>
/// <param name="AvroName">Letters, digits and '_'.</param>
/// <param name="Type">Type of its values; any may be null.</param>
public sealed record PredictionField(string Name, string AvroName, FieldType Type);

/// <summary>
/// What predictions of one model look like: <see cref="Avro"/>. Fields that all have come first, then the trigger's fields under their own names, the
/// scores, the model's inputs as a nested record (each with its name in the service as its doc), and where every view's values come from.
/// Immutable; thread-safe.
/// </summary>
public sealed class PredictionSchema
{
    /// <summary>Fields that every prediction has, in the order in which they are written before the trigger's fields.</summary>
    private static readonly string[] Fixed =
        ["prediction_id", "model", "version", "variant", "service", "trigger_topic", "trigger_partition", "trigger_offset", "event_time", "arrival_time"];

    private static readonly string[] Behind = ["score", "scores", "decision", "threshold", "caught_up", "flags", "inputs", "views"];

    /// <param name="service">The service whose vectors are scored.</param>
    /// <param name="triggerFields">The trigger's fields without its event time, in the order in which they are written.</param>
    /// <param name="inputs">The model's inputs in its order.</param>
    public PredictionSchema(string service, IEnumerable<(string Name, FieldType Type)> triggerFields, IEnumerable<(string Name, FieldType Type)> inputs)
    {
        Service = service;
        var taken = Fixed.Concat(Behind).ToHashSet(StringComparer.Ordinal);
        TriggerFields = [.. triggerFields.Select(f => new PredictionField(f.Name, Unique(f.Name, taken, "event_"), f.Type))];
        taken = new HashSet<string>(StringComparer.Ordinal);
        Inputs = [.. inputs.Select(f => new PredictionField(f.Name, Unique(f.Name, taken, "input_"), f.Type))];
        Avro = Write();
    }

    public string Service { get; }

    public IReadOnlyList<PredictionField> TriggerFields { get; }

    public IReadOnlyList<PredictionField> Inputs { get; }

    /// <summary>The Avro schema as JSON: the same columns give the same text.</summary>
    public string Avro { get; }

    /// <summary>Where predictions of a service go, unless another topic is named.</summary>
    public static string TopicOf(string service) => $"predictions.{service}";

    /// <summary>Avro names are letters, digits and '_', the first no digit.</summary>
    private static string Unique(string name, HashSet<string> taken, string prefix)
    {
        var plain = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        var found = char.IsAsciiDigit(plain[0]) || taken.Contains(plain) ? prefix + plain : plain;
        for (var i = 2; !taken.Add(found); i++)
            found = $"{prefix}{plain}_{i}";
        return found;
    }

    private string Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("type", "record");
            json.WriteString("name", "Prediction_" + string.Concat(Service.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')));
            json.WriteString("namespace", "streamml");
            json.WriteStartArray("fields");
            WriteFixed(json);
            foreach (var field in TriggerFields)
                WriteNullable(json, field);
            WriteScores(json);
            WriteInputs(json);
            WriteViews(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteFixed(Utf8JsonWriter json)
    {
        foreach (var name in Fixed)
            WriteField(json, name, name switch { "trigger_partition" => "\"int\"", "trigger_offset" => "\"long\"", "event_time" or "arrival_time" => Time, _ => "\"string\"" });
    }

    private static void WriteScores(Utf8JsonWriter json)
    {
        WriteField(json, "score", "\"double\"", doc: "the probability of the positive class, the estimate, or the probability of the decision");
        WriteField(json, "scores", "{\"type\":\"array\",\"items\":\"double\"}", doc: "all scores in the order of the model's classes; one for a binary model or a regression");
        WriteField(json, "decision", "[\"null\",\"string\"]", "null", "the class that is decided; null for a regression, or where there is no score");
        WriteField(json, "threshold", "[\"null\",\"double\"]", "null", "the least score that is decided positive");
        WriteField(json, "caught_up", "\"boolean\"", doc: "false: the views had not come as far as the event when the wait for them ended");
        WriteField(json, "flags", "{\"type\":\"array\",\"items\":\"string\"}", doc: "missing:FEATURE, stale:VIEW, default:FEATURE");
    }

    private void WriteInputs(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name", "inputs");
        json.WriteStartObject("type");
        json.WriteString("type", "record");
        json.WriteString("name", "Inputs");
        json.WriteStartArray("fields");
        foreach (var input in Inputs)
            WriteNullable(json, input);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteViews(Utf8JsonWriter json)
    {
        const string view = """
            {"type":"array","items":{"type":"record","name":"View","fields":[
            {"name":"view","type":"string"},{"name":"log","type":"string"},{"name":"partition","type":"int"},{"name":"next_offset","type":"long"},
            {"name":"watermark","type":["null",{"type":"long","logicalType":"timestamp-micros"}],"default":null},
            {"name":"effective_time","type":{"type":"long","logicalType":"timestamp-micros"}},
            {"name":"age_us","type":["null","long"],"default":null}]}}
            """;
        WriteField(json, "views", view, doc: "where the values of each view come from: the prefix [0, next_offset) of log/partition; partition -1 for a null key");
    }

    private static void WriteNullable(Utf8JsonWriter json, PredictionField field) =>
        WriteField(json, field.AvroName, $"[\"null\",{TypeOf(field.Type)}]", "null", field.Name);

    private static void WriteField(Utf8JsonWriter json, string name, string type, string? fallback = null, string? doc = null)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WritePropertyName("type");
        json.WriteRawValue(type);
        if (fallback is not null)
        {
            json.WritePropertyName("default");
            json.WriteRawValue(fallback);
        }

        if (doc is not null)
            json.WriteString("doc", doc);
        json.WriteEndObject();
    }

    private const string Time = "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}";

    private static string TypeOf(FieldType type) => type switch
    {
        FieldType.Boolean => "\"boolean\"",
        FieldType.Int64 => "\"long\"",
        FieldType.Float64 => "\"double\"",
        FieldType.String => "\"string\"",
        FieldType.Timestamp => Time,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no such type"),
    };
}
