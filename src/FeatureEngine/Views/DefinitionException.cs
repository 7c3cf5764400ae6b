using StreamMl.Shared.Definitions;

namespace StreamMl.FeatureEngine.Views;

/// <summary>A definition that cannot be computed; validation finds these before anything runs.</summary>
public sealed class DefinitionException(IReadOnlyList<Diagnostic> diagnostics) : Exception(string.Join(Environment.NewLine, diagnostics))
{
    public IReadOnlyList<Diagnostic> Diagnostics { get; } = diagnostics;

    internal static DefinitionException Of(SourceLocation? location, string message, string remedy) =>
        new([new Diagnostic(Severity.Error, location, message, remedy)]);
}
