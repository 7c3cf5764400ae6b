using StreamMl.Ingestors.Times;
using StreamMl.Shared.Definitions;

namespace StreamMl.Ingestors.Mapping;

/// <summary>Where one field of a source gets its value from. Immutable.</summary>
internal abstract record FieldMapping(SourceLocation Location);

/// <summary>A column of the file as it is; its text is read as the field's type.</summary>
internal sealed record FromColumn(string Column, SourceLocation Location) : FieldMapping(Location);

/// <summary>A time made from a column; for fields of timestamps only.</summary>
internal sealed record FromTime(TimeExpression Time, SourceLocation Location) : FieldMapping(Location);

/// <summary>The same text in every event, read as the field's type; null is null.</summary>
internal sealed record FromConstant(string? Text, SourceLocation Location) : FieldMapping(Location);

/// <summary>An expression over the file's columns, in the catalogue's language.</summary>
internal sealed record FromExpression(string Expression, SourceLocation Location) : FieldMapping(Location);
