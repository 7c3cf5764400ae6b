using StreamMl.Infrastructure.Avro;

namespace StreamMl.Infrastructure.Predictions;

/// <summary>Where the values of one view in a prediction come from.</summary>
/// <param name="View">Its name.</param>
/// <param name="Log">The topic that it reads.</param>
/// <param name="Partition">Of the log; -1 where a key was null.</param>
/// <param name="NextOffset">The prefix is [0, NextOffset).</param>
/// <param name="Watermark">Greatest event time of the prefix; null where it is empty.</param>
/// <param name="EffectiveTime">The time of the values.</param>
/// <param name="AgeUs">From the entity's newest event to the event's time; null without one.</param>
public sealed record PredictionView(string View, string Log, int Partition, long NextOffset, DateTime? Watermark, DateTime EffectiveTime, long? AgeUs);

/// <summary>A prediction as it was written, for tools: explanations, monitoring. Values are null, bool, long, double, string, or DateTime (UTC).</summary>
public sealed record Prediction
{
    public required PredictionId Id { get; init; }

    public required string Variant { get; init; }

    public required string Service { get; init; }

    public required DateTime EventTime { get; init; }

    public required DateTime ArrivalTime { get; init; }

    /// <summary>The trigger's fields by their names in the source.</summary>
    public required IReadOnlyDictionary<string, object?> TriggerFields { get; init; }

    public required double Score { get; init; }

    public required IReadOnlyList<double> Scores { get; init; }

    public required string? Decision { get; init; }

    public required double? Threshold { get; init; }

    public required bool IsCaughtUp { get; init; }

    public required IReadOnlyList<string> Flags { get; init; }

    /// <summary>The model's inputs by their names in the service, in the model's order.</summary>
    public required IReadOnlyList<KeyValuePair<string, object?>> Inputs { get; init; }

    public required IReadOnlyList<PredictionView> Views { get; init; }
}

/// <summary>Reads predictions of one schema (the writer's, from the registry). Thread-safe.</summary>
public sealed class PredictionReader
{
    private readonly AvroValueReader values;
    private readonly IReadOnlyDictionary<string, string> inputNames;

    private readonly IReadOnlyDictionary<string, string> fieldNames;

    /// <exception cref="AvroSchemaException">Not an Avro record schema.</exception>
    public PredictionReader(string schemaJson)
    {
        values = new AvroValueReader(schemaJson);
        inputNames = values.DocsOf("inputs");
        fieldNames = TriggerNames(schemaJson);
    }

    /// <param name="value">A record's value, with its wire header.</param>
    /// <exception cref="InvalidDataException">Not a prediction of this schema.</exception>
    public Prediction Read(ReadOnlySpan<byte> value)
    {
        if (!ConfluentWire.TryReadSchemaId(value, out _, out var body))
            throw new InvalidDataException($"no prediction: {ConfluentWire.Explain(value)}");
        var fields = values.Read(body);
        try
        {
            return Convert(fields);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidCastException or FormatException)
        {
            throw new InvalidDataException($"the record is no prediction ({e.Message}); is this the topic that the scorer writes?", e);
        }
    }

    private Prediction Convert(IReadOnlyDictionary<string, object?> fields) => new()
    {
        Id = PredictionId.Parse((string)fields["prediction_id"]!),
        Variant = (string)fields["variant"]!,
        Service = (string)fields["service"]!,
        EventTime = (DateTime)fields["event_time"]!,
        ArrivalTime = (DateTime)fields["arrival_time"]!,
        TriggerFields = fieldNames.ToDictionary(f => f.Value, f => fields[f.Key], StringComparer.Ordinal),
        Score = (double)fields["score"]!,
        Scores = [.. ((List<object?>)fields["scores"]!).Cast<double>()],
        Decision = (string?)fields["decision"],
        Threshold = (double?)fields["threshold"],
        IsCaughtUp = (bool)fields["caught_up"]!,
        Flags = [.. ((List<object?>)fields["flags"]!).Cast<string>()],
        Inputs = [.. ((IReadOnlyDictionary<string, object?>)fields["inputs"]!).Select(i => KeyValuePair.Create(inputNames[i.Key], i.Value))],
        Views = [.. ((List<object?>)fields["views"]!).Cast<IReadOnlyDictionary<string, object?>>().Select(ConvertView)],
    };

    private static PredictionView ConvertView(IReadOnlyDictionary<string, object?> view) => new(
        (string)view["view"]!, (string)view["log"]!, checked((int)(long)view["partition"]!), (long)view["next_offset"]!, (DateTime?)view["watermark"], (DateTime)view["effective_time"]!, (long?)view["age_us"]);

    /// <summary>Avro name to trigger field: what stands between the fixed fields, named by its doc.</summary>
    private static Dictionary<string, string> TriggerNames(string schemaJson)
    {
        using var schema = System.Text.Json.JsonDocument.Parse(schemaJson);
        return schema.RootElement.GetProperty("fields").EnumerateArray()
            .SkipWhile(f => f.GetProperty("name").GetString() != "arrival_time").Skip(1)
            .TakeWhile(f => f.GetProperty("name").GetString() != "score")
            .ToDictionary(f => f.GetProperty("name").GetString()!, f => f.GetProperty("doc").GetString()!, StringComparer.Ordinal);
    }
}
