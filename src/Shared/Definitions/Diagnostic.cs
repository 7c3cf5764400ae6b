namespace StreamMl.Shared.Definitions;

/// <summary>Where a definition stands: file, line and column from 1. Definitions built in C# have the caller's file and line.</summary>
public sealed record SourceLocation(string File, int Line, int Column)
{
    /// <summary>What is written there, where that is not what the definition holds: an expression before it was made canonical.</summary>
    public string? Text { get; init; }

    public override string ToString() => $"{File}:{Line}:{Column}";
}

/// <summary>Where the parts of a definition stand, by their key ("where", "hop", ...). No part of a definition's identity. Immutable; thread-safe.</summary>
public sealed class PartLocations(IReadOnlyDictionary<string, SourceLocation> locations)
{
    public static PartLocations None { get; } = new(new Dictionary<string, SourceLocation>(StringComparer.Ordinal));

    /// <summary>The part's place, or null where none is known.</summary>
    public SourceLocation? Find(string part) => locations.GetValueOrDefault(part);
}

public enum Severity
{
    Warning,
    Error,
}

/// <summary>One finding about a catalogue: what was found, and what would be right.</summary>
public sealed record Diagnostic(Severity Severity, SourceLocation? Location, string Message, string Remedy)
{
    public override string ToString() => $"{Location?.ToString() ?? "(catalogue)"}: {Severity.ToString().ToLowerInvariant()}: {Message}. {Remedy}";
}
