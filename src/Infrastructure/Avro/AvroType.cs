using System.Text.Json;

namespace StreamMl.Infrastructure.Avro;

internal enum AvroKind : byte
{
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed,
    Enum,
    Array,
    Map,
    Union,
    Record,
}

internal enum AvroLogical : byte
{
    None,
    Date,
    TimestampMillis,
    TimestampMicros,
    LocalTimestamp,
    Decimal,
    Uuid,
}

/// <summary>
/// An Avro type as decoders and encoders need it. Recursive schemas are cyclic graphs of these. Immutable once <see cref="AvroTypeParser"/>
/// has returned it; thread-safe.
/// </summary>
internal sealed class AvroType(AvroKind kind, string name)
{
    public AvroKind Kind { get; } = kind;

    /// <summary>Full name of a named type; the type's own name (string, array) of any other. Unique within a union.</summary>
    public string Name { get; } = name;

    public AvroLogical Logical { get; init; }

    /// <summary>As the schema spells it, also where we do not know it.</summary>
    public string? LogicalName { get; init; }

    public int Precision { get; init; }

    public int Scale { get; init; }

    /// <summary>Bytes of a fixed.</summary>
    public int Size { get; init; }

    public IReadOnlyList<string> Symbols { get; init; } = [];

    public string? EnumDefault { get; init; }

    /// <summary>Element of an array, value of a map.</summary>
    public AvroType? Items { get; set; }

    public List<AvroType> Branches { get; } = [];

    public List<AvroFieldType> Fields { get; } = [];

    public bool IsTimestamp => Logical is AvroLogical.Date or AvroLogical.TimestampMillis or AvroLogical.TimestampMicros;

    /// <summary>As messages name it: long (timestamp-millis), array of string, union of null and double.</summary>
    public string Describe() => Kind switch
    {
        AvroKind.Union => $"union of {string.Join(" and ", Branches.Select(b => b.Describe()))}",
        AvroKind.Array => $"array of {Items!.Name}",
        AvroKind.Map => $"map of {Items!.Name}",
        AvroKind.Record => $"record {Name}",
        AvroKind.Enum => $"enum {Name}",
        AvroKind.Fixed => $"fixed {Name} of {Size} bytes",
        _ => Name,
    } + (LogicalName is null ? "" : $" ({LogicalName})");

    /// <summary>The one non-null branch of ["null", T] or [T, "null"], the type itself where it is no union, null for any other union.</summary>
    public AvroType? ValueType(out bool nullable)
    {
        nullable = false;
        if (Kind != AvroKind.Union)
            return this;
        nullable = Branches.Exists(b => b.Kind == AvroKind.Null);
        return Branches.Count == (nullable ? 2 : 1) ? Branches.Find(b => b.Kind != AvroKind.Null) : null;
    }
}

/// <summary>A field of a record. <paramref name="Default"/> is null where there is none (a default of null is a JSON null).</summary>
internal sealed record AvroFieldType(string Name, AvroType Type, IReadOnlyList<string> Aliases, JsonElement? Default, string? Doc);
