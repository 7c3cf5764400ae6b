using StreamMl.Shared.Events;

namespace StreamMl.Shared.Definitions.Building;

/// <summary>An event source in the making. Every method may be called once; not thread-safe.</summary>
public sealed class SourceBuilder
{
    private readonly string name;
    private readonly SourceLocation? location;
    private readonly Dictionary<string, SourceLocation> parts = new(StringComparer.Ordinal);
    private Located? topic;
    private Located? eventTime;
    private Located? skew;
    private IReadOnlyList<Located>? key;
    private int? partitions;
    private string? avro;
    private EventSchema? schema;

    internal SourceBuilder(string name, SourceLocation? location)
    {
        this.name = name;
        this.location = location;
    }

    /// <summary>Default: the source's name.</summary>
    public SourceBuilder Topic(Located topic) => Note("topic", this.topic = topic);

    /// <summary>The Avro record schema as JSON text, and the fields that are read from it.</summary>
    public SourceBuilder Schema(string avroSchema, EventSchema fields, SourceLocation? at = null)
    {
        (avro, schema) = (avroSchema, fields);
        return Note("schema", new Located("", at));
    }

    /// <summary>A timestamp field. Default: event_time.</summary>
    public SourceBuilder EventTime(Located field) => Note("eventTime", eventTime = field);

    /// <summary>The fields whose values are the record key of the topic.</summary>
    public SourceBuilder Key(params Located[] fields) => Note("key", (key = fields).Count > 0 ? fields[0] : default);

    /// <summary>Default 5m.</summary>
    public SourceBuilder MaxFutureSkew(Located duration) => Note("maxFutureSkew", skew = duration);

    /// <summary>Default 4; 1 to 1,024.</summary>
    public SourceBuilder Partitions(int count, SourceLocation? at = null)
    {
        partitions = count;
        return Note("partitions", new Located("", at));
    }

    internal SourceDefinition? Build(Findings findings)
    {
        if (schema is null || avro is null)
        {
            if (!parts.ContainsKey("schema"))
                findings.Error(location, $"source '{name}' has no schema", "Name its Avro schema: `schema: schemas/" + name + ".avsc`");
            return null;
        }

        if (key is null)
            findings.Error(location, $"source '{name}' has no key", "Name the field or fields that the topic is keyed by: `key: customer_id`");
        var source = new SourceDefinition
        {
            Name = name,
            Topic = topic?.Text ?? name,
            AvroSchema = avro,
            Schema = schema,
            EventTimeField = eventTime?.Text ?? "event_time",
            KeyFields = [.. (key ?? []).Select(k => k.Text)],
            Partitions = partitions ?? 4,
            Location = location,
            Parts = new PartLocations(parts),
        };
        return skew is { } limit && DurationText.TryRead(limit, location, $"maxFutureSkew of source '{name}'", findings, out var duration) ? source with { MaxFutureSkew = duration } : source;
    }

    /// <summary>Marks a schema that was named but could not be read, so that it is not reported as missing.</summary>
    public SourceBuilder UnreadableSchema(SourceLocation at) => Note("schema", new Located("", at));

    private SourceBuilder Note(string part, Located? text)
    {
        if ((text?.At ?? location) is { } at)
            parts[part] = at;
        return this;
    }
}
