using System.Text;
using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Tests.Steps;

/// <summary>docs/steps.md lists the kinds as the catalogue has them. STREAMML_WRITE_DOCS=1 writes the list anew instead of holding it to that.</summary>
public sealed class StepsDocumentTests
{
    private const string Start = "<!-- kinds: written by StepsDocumentTests -->\n";
    private const string End = "<!-- end of kinds -->\n";

    [Fact]
    public void Document_ListOfKinds_IsTheCatalogues()
    {
        var path = Path.Combine(Root(), "docs", "steps.md");
        var text = File.ReadAllText(path);
        var (from, to) = (text.IndexOf(Start, StringComparison.Ordinal) + Start.Length, text.IndexOf(End, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("STREAMML_WRITE_DOCS") == "1")
            File.WriteAllText(path, text[..from] + Kinds() + text[to..]);
        else
            text[from..to].ShouldBe(Kinds());
    }

    private static string Kinds()
    {
        var text = new StringBuilder();
        foreach (var kind in StepCatalog.Kinds)
        {
            text.Append($"\n### {kind.Name}\n{kind.Summary}{Reads(kind)}\n");
            var parameters = kind.Parameters.Where(p => p.Name != "keep").ToList();
            if (parameters.Count > 0)
                text.Append("\n| parameter | default | range | what |\n|---|---|---|---|\n");
            foreach (var parameter in parameters)
                text.Append($"| `{parameter.Name}` | {parameter.Default} | {Range(parameter)} | {parameter.Summary} |\n");
        }

        return text.Append('\n').ToString();
    }

    private static string Reads(StepKind kind) => kind.Name == "drop" ? "" : kind.Columns switch
    {
        StepColumns.Two => $" Reads two columns, in order; output `{kind.OutputName}`.",
        StepColumns.TwoOrThree => $" Reads two or three columns, in order; output `{kind.OutputName}`.",
        _ => $" Output `{kind.OutputName}`{(kind.Keeps ? "; what it reads stays" : "")}.",
    };

    private static string Range(StepParameter parameter) => parameter.Type switch
    {
        StepParameterType.Choice or StepParameterType.Flag => string.Join(", ", parameter.Choices),
        StepParameterType.Integer when parameter.Max == int.MaxValue => $"from {parameter.Min:N0}",
        StepParameterType.Integer => $"{parameter.Min:N0} to {parameter.Max:N0}",
        StepParameterType.Number when parameter.Min == double.MinValue => "any number",
        StepParameterType.Number when parameter.Min == double.Epsilon => "more than 0",
        StepParameterType.Number => $"{parameter.Min:#,0.######} to {parameter.Max:#,0.######}",
        StepParameterType.Numbers => "ascending numbers",
        _ => "text",
    };

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "StreamMl.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("the tests do not run below the repository");
    }
}
