using StreamMl.Ingestors.Files;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Mapping;

/// <summary>How files become the events of one source. Immutable.</summary>
internal sealed record SourceMapping
{
    public required string Source { get; init; }

    /// <summary>Full paths, in the order in which they are read: that of a pattern's names.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    public required SourceLocation Location { get; init; }

    public RowFileOptions FileOptions { get; init; } = RowFileOptions.Default;

    /// <summary>What expressions read columns of text files as, where that is not the type of the field that takes them.</summary>
    public IReadOnlyDictionary<string, FieldType> Types { get; init; } = new Dictionary<string, FieldType>(StringComparer.Ordinal);

    /// <summary>Rows for which this is not true are passed over; null: none is.</summary>
    public FromExpression? Where { get; init; }

    /// <summary>Null: the column of the event-time field's own name.</summary>
    public FromTime? EventTime { get; init; }

    /// <summary>Null: the event time plus <see cref="ArrivalDelay"/>.</summary>
    public FromTime? ArrivalTime { get; init; }

    /// <summary>From event to arrival, where the file does not say when a fact could first be known. Default 0; at least 0.</summary>
    public TimeSpan ArrivalDelay { get; init; }

    /// <summary>The files are not in the order of arrival: put them in it, on disk where they are large.</summary>
    public bool Sort { get; init; }

    /// <summary>By field; a field that is not here takes the column of its own name.</summary>
    public IReadOnlyDictionary<string, FieldMapping> Fields { get; init; } = new Dictionary<string, FieldMapping>(StringComparer.Ordinal);
}

/// <summary>A mapping file. Immutable.</summary>
/// <param name="Path">Full path of the file.</param>
/// <param name="CatalogPath">Full path of the catalogue that it belongs to; null where it names none.</param>
/// <param name="Sources">In the order of the file.</param>
internal sealed record MappingFile(string Path, string? CatalogPath, IReadOnlyList<SourceMapping> Sources);
