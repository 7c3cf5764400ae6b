using System.Text.Json;
using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Definitions;

namespace StreamMl.Infrastructure.Predictions;

/// <summary>A predictions topic as a source of events, for readers that want a few columns of it fast. Pure.</summary>
public static class PredictionTopic
{
    /// <summary>The columns that every prediction has.</summary>
    public const string Id = "prediction_id";
    public const string Variant = "variant";
    public const string TriggerPartition = "trigger_partition";
    public const string TriggerOffset = "trigger_offset";
    public const string Score = "score";

    private const string EventTime = "event_time";

    /// <param name="topic">The topic.</param>
    /// <param name="triggerTexts">Text fields of the trigger event that are wanted too, by their names in the prediction.</param>
    public static SourceDefinition Source(string topic, params IEnumerable<string> triggerTexts)
    {
        var schema = JsonSerializer.Serialize(new
        {
            type = "record",
            name = "Prediction",
            fields = new object[]
            {
                new { name = Id, type = "string" }, new { name = Variant, type = "string" }, new { name = TriggerPartition, type = "int" }, new { name = TriggerOffset, type = "long" },
                new { name = Score, type = "double" }, new { name = EventTime, type = new { type = "long", logicalType = "timestamp-micros" } },
            }.Concat(triggerTexts.Select(f => new { name = f, type = new[] { "null", "string" } })),
        });
        return new SourceDefinition { Name = topic, Topic = topic, AvroSchema = schema, Schema = AvroSchemaReader.ReadEventSchema(schema), EventTimeField = EventTime, KeyFields = [] };
    }
}
