namespace StreamMl.Shared.Definitions.Building;

/// <summary>A catalogue as far as it could be made, and what is wrong with it so far. Validation finds the rest.</summary>
/// <param name="Catalog">What could not be read is left out.</param>
/// <param name="Diagnostics">In the order in which they were found.</param>
public sealed record CatalogResult(Catalog Catalog, IReadOnlyList<Diagnostic> Diagnostics)
{
    public bool HasErrors => Diagnostics.Any(d => d.Severity == Severity.Error);

    /// <exception cref="CatalogException">There are errors.</exception>
    public Catalog Require() => HasErrors ? throw new CatalogException(Diagnostics) : Catalog;
}

/// <summary>A catalogue that cannot be used; the message has all findings, one a line.</summary>
public sealed class CatalogException(IReadOnlyList<Diagnostic> diagnostics)
    : Exception($"the catalogue has {diagnostics.Count(d => d.Severity == Severity.Error)} error(s):{Environment.NewLine}{string.Join(Environment.NewLine, diagnostics)}")
{
    public IReadOnlyList<Diagnostic> Diagnostics { get; } = diagnostics;
}

/// <summary>Collects findings while a catalogue is built.</summary>
internal sealed class Findings
{
    public List<Diagnostic> All { get; } = [];

    public void Error(SourceLocation? at, string problem, string remedy) => All.Add(new Diagnostic(Severity.Error, at, problem, remedy));

    public void Warn(SourceLocation? at, string problem, string remedy) => All.Add(new Diagnostic(Severity.Warning, at, problem, remedy));
}
