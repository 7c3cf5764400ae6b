using System.Globalization;

namespace StreamMl.ModelEngine.Steps;

/// <summary>The name of a step's output, by the definition's rule or the kind's. Pure.</summary>
internal static class OutputName
{
    public static string Of(StepDefinition step, IReadOnlyList<PlanColumn> sources)
    {
        var name = (step.Name ?? Default(step, sources.Count)).Replace("{column}", sources[0].Name, StringComparison.Ordinal)
            .Replace("{part}", step.Parameters.GetValueOrDefault("part") ?? "", StringComparison.Ordinal);
        for (var i = 0; i < sources.Count; i++)
            name = name.Replace(string.Create(CultureInfo.InvariantCulture, $"{{{i + 1}}}"), sources[i].Name, StringComparison.Ordinal);
        return name;
    }

    private static string Default(StepDefinition step, int count) => step.Kind switch
    {
        "cross" when count == 3 => "{1}_x_{2}_x_{3}",
        "cyclic" when step.Parameters.ContainsKey("part") => "{column}_{part}",
        "time_part" when step.Parameters.GetValueOrDefault("part") == "difference" => "{1}_minus_{2}",
        _ => StepCatalog.Find(step.Kind)!.OutputName,
    };
}
