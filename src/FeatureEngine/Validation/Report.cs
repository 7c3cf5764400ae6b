using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Expressions;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>Collects findings. Not thread-safe.</summary>
internal sealed class Report
{
    public List<Diagnostic> All { get; } = [];

    public void Error(SourceLocation? at, string problem, string remedy) => All.Add(new Diagnostic(Severity.Error, at, problem, remedy));

    public void Warn(SourceLocation? at, string problem, string remedy) => All.Add(new Diagnostic(Severity.Warning, at, problem, remedy));

    /// <summary>A mistake in an expression that stands at <paramref name="at"/>: the place moves to the mistake.</summary>
    public void Error(SourceLocation? at, string what, ExpressionException error) =>
        Error(at is null ? null : at with { Column = at.Column + error.Position }, $"{what}: {error.Problem} in `{error.Text}`", error.Remedy);
}

/// <summary>What names may look like: they become parts of topics, store keys and columns.</summary>
internal static class Names
{
    public static bool IsIdentifier(string name) =>
        name.Length is > 0 and <= 200 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>Names of sources, entities, views and services: an identifier with dashes.</summary>
    public static void CheckName(string name, string kind, SourceLocation? at, Report report)
    {
        if (name.Length is 0 or > 100 || !char.IsAsciiLetter(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            report.Error(at, $"`{name}` is no name for {(kind == "entity" ? "an" : "a")} {kind}", "Use up to 100 letters, digits, _ and -, and start with a letter");
    }
}
