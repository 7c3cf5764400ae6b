namespace StreamMl.Shared.Events;

/// <summary>What a column of an <see cref="EventBatch"/> or a feature holds. The number is part of wire formats: never renumber.</summary>
public enum FieldType : byte
{
    /// <summary>Lane 0 or 1.</summary>
    Boolean = 1,

    /// <summary>Avro int and long. Lane: the value.</summary>
    Int64 = 2,

    /// <summary>Avro float and double. Lane: the IEEE 754 bits of the double.</summary>
    Float64 = 3,

    /// <summary>Avro string and enum (its symbol). Lane: start and length in the UTF-8 arena.</summary>
    String = 4,

    /// <summary>Avro timestamp-millis, timestamp-micros and date. Lane: microseconds since the epoch.</summary>
    Timestamp = 5,
}

/// <summary>One readable field of a source. Fields of other Avro types (arrays, maps, nested records, bytes, decimals) are skipped and not listed.</summary>
public sealed record EventField(string Name, FieldType Type, bool Nullable, string? Doc = null);

/// <summary>The fields of a source that features can read, in the order of its Avro schema. Immutable; thread-safe.</summary>
public sealed class EventSchema
{
    private readonly Dictionary<string, int> indexByName;

    public EventSchema(string name, IReadOnlyList<EventField> fields)
    {
        Name = name;
        Fields = fields;
        indexByName = new Dictionary<string, int>(fields.Count, StringComparer.Ordinal);
        for (var i = 0; i < fields.Count; i++)
            indexByName.Add(fields[i].Name, i);
    }

    /// <summary>Full name of the Avro record.</summary>
    public string Name { get; }

    public IReadOnlyList<EventField> Fields { get; }

    /// <summary>Position of the field, or -1.</summary>
    public int IndexOf(string field) => indexByName.GetValueOrDefault(field, -1);

    public EventField? Find(string field) => indexByName.TryGetValue(field, out var i) ? Fields[i] : null;

    /// <summary>The schema of the named fields only, in the order of this one.</summary>
    public EventSchema Project(IReadOnlySet<string> names) => new(Name, [.. Fields.Where(f => names.Contains(f.Name))]);
}
