namespace StreamMl.Shared.Definitions;

/// <summary>Where a definition stands: file, line and column from 1. Definitions built in C# have the caller's file and line.</summary>
public sealed record SourceLocation(string File, int Line, int Column)
{
    public override string ToString() => $"{File}:{Line}:{Column}";
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
