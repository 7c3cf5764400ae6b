using StreamMl.Shared.Definitions;

namespace StreamMl.Ingestors.Mapping;

/// <summary>A mapping that cannot be used, with all that was found in it.</summary>
public sealed class MappingException(IReadOnlyList<Diagnostic> diagnostics, Exception? inner = null)
    : Exception(string.Join(Environment.NewLine, diagnostics), inner)
{
    public IReadOnlyList<Diagnostic> Diagnostics { get; } = diagnostics;

    internal static MappingException Of(SourceLocation? location, string problem, string remedy, Exception? inner = null) =>
        new([new Diagnostic(Severity.Error, location, problem, remedy)], inner);
}
