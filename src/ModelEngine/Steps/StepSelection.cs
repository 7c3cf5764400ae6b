using StreamMl.Shared.Definitions;

namespace StreamMl.ModelEngine.Steps;

/// <summary>Which columns a declared step reads. A pattern takes those that its kind can read; a column that is named must be one of them. Pure.</summary>
internal static class StepSelection
{
    private static readonly string[] CategoryKinds = ["one_hot", "categorical", "hash", "target_encode", "cross"];

    /// <summary>The columns of each application of the step: one by one, or all that it reads together.</summary>
    /// <param name="number">The step's place, from 1, for messages.</param>
    public static IReadOnlyList<IReadOnlyList<PlanColumn>> Of(StepDefinition step, int number, PlanColumns columns)
    {
        var against = step.Parameters.GetValueOrDefault("against");
        if (ReadsTogether(step))
            return [[.. step.Columns.Select(name => Named(step, number, columns, name))]];
        var selected = step.Columns.SelectMany(c => Glob.IsPattern(c) && columns.Find(c) is null ? Matching(step, number, columns, c, against) : [Named(step, number, columns, c)]).Distinct();
        return [.. selected.Select(c => against is null ? (IReadOnlyList<PlanColumn>)[c] : [c, Named(step, number, columns, against)])];
    }

    /// <summary>The step with those of its columns that are there; null where it cannot do without the others, or none is left.</summary>
    public static StepDefinition? Present(StepDefinition step, PlanColumns columns)
    {
        bool IsThere(string name) =>
            columns.Find(name) is not null || (Glob.IsPattern(name) && columns.All.Any(c => Glob.Matches(name, c.Name) && CanRead(step, c, named: false)));
        if (step.Parameters.TryGetValue("against", out var against) && columns.Find(against) is null)
            return null;
        List<string> present = [.. step.Columns.Where(IsThere)];
        return present.Count == step.Columns.Count ? step : present.Count == 0 || ReadsTogether(step) ? null : step with { Columns = present };
    }

    /// <summary>Whether all columns are read at once rather than each by itself.</summary>
    public static bool ReadsTogether(StepDefinition step) =>
        StepCatalog.Find(step.Kind)!.Columns != StepColumns.Each || (step.Kind == "time_part" && step.Parameters.GetValueOrDefault("part") == "difference");

    private static PlanColumn Named(StepDefinition step, int number, PlanColumns columns, string name)
    {
        var column = columns.Find(name)
            ?? throw Error(step, number, $"there is no column `{name}`", Suggestion.Remedy(name, columns.All.Select(c => c.Name), "columns"));
        return CanRead(step, column, named: true)
            ? column
            : throw Error(step, number, $"column `{name}` is {column.Word}", $"{step.Kind} reads {Wanted(step)}");
    }

    private static List<PlanColumn> Matching(StepDefinition step, int number, PlanColumns columns, string pattern, string? against)
    {
        var matching = columns.All.Where(c => c.Name != against && Glob.Matches(pattern, c.Name)).ToList();
        var readable = matching.Where(c => CanRead(step, c, named: false)).ToList();
        if (readable.Count > 0)
            return readable;
        throw matching.Count == 0
            ? Error(step, number, $"no column matches `{pattern}`", Suggestion.Remedy(pattern, columns.All.Select(c => c.Name), "columns"))
            : Error(step, number, $"none of the {matching.Count} columns that match `{pattern}` can be read by it", $"{step.Kind} reads {Wanted(step)}");
    }

    // Numbers can be categories where they are named; a pattern that says "all" means the strings.
    private static bool CanRead(StepDefinition step, PlanColumn column, bool named) => step.Kind switch
    {
        "drop" => true,
        _ when CategoryKinds.Contains(step.Kind) => column.Kind == ColumnKind.Text || (named && column.Kind == ColumnKind.Number),
        "time_part" => column.Kind == ColumnKind.Time,
        "cyclic" when step.Parameters.ContainsKey("part") => column.Kind == ColumnKind.Time,
        "impute" when column.Kind == ColumnKind.Text => step.Parameters.GetValueOrDefault("strategy") is "constant" or "most_frequent",
        _ => column.Kind == ColumnKind.Number && !column.IsCategorical,
    };

    private static string Wanted(StepDefinition step) => step.Kind switch
    {
        _ when CategoryKinds.Contains(step.Kind) => "strings, and numbers that are named",
        "time_part" => "timestamps",
        "cyclic" => "timestamps with a part, numbers with a period",
        "impute" => "numbers, and strings with strategy constant or most_frequent",
        _ => "numbers: encode a category first, take a part of a time first",
    };

    private static PipelineException Error(StepDefinition step, int number, string found, string remedy) => new(StepChecks.Error(step, number, found, remedy));
}
