using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Commands;

/// <summary>A catalogue with errors, all of them in the message.</summary>
internal sealed class CatalogErrorsException(string path, IReadOnlyList<Diagnostic> diagnostics)
    : Exception($"{path} has {diagnostics.Count(d => d.Severity == Severity.Error)} errors:{Environment.NewLine}{string.Join(Environment.NewLine, diagnostics)}");
