using System.Globalization;
using StreamMl.Shared.Definitions;

namespace StreamMl.ModelEngine.Steps;

/// <summary>Checks one declared step against its kind. Pure.</summary>
internal static class StepChecks
{
    /// <param name="number">The step's place in the pipeline, from 1.</param>
    public static IEnumerable<Diagnostic> Of(StepDefinition step, int number)
    {
        if (StepCatalog.Find(step.Kind) is not { } kind)
            return [Error(step, number, $"there is no kind of step `{step.Kind}`", Suggestion.Remedy(step.Kind, StepCatalog.Kinds.Select(k => k.Name), "kinds"))];
        var findings = Columns(step, number, kind).Concat(Unknown(step, number, kind)).Concat(kind.Parameters.SelectMany(p => Value(step, number, p))).ToList();
        return findings.Count > 0 ? findings : Together(step, number);
    }

    /// <summary>"step 2 one_hot: max is 0".</summary>
    public static Diagnostic Error(StepDefinition step, int number, string found, string remedy) =>
        new(Severity.Error, step.Location, $"step {number} {step.Kind}: {found}", remedy);

    private static IEnumerable<Diagnostic> Columns(StepDefinition step, int number, StepKind kind)
    {
        var count = step.Columns.Count;
        // An age or a difference of times is the one case in which the number of columns depends on a parameter.
        var (low, high) = kind.Columns switch
        {
            StepColumns.Two => (2, 2),
            StepColumns.TwoOrThree => (2, 3),
            _ when IsTimeDifference(step) => (2, 2),
            _ => (1, int.MaxValue),
        };
        if (count < low || count > high)
            yield return Error(step, number, $"it names {count} columns", high == int.MaxValue ? "Name at least one, or `*` for all" : $"It reads {(low == high ? $"{low}" : $"{low} or {high}")}, in order");
        if (high != int.MaxValue && step.Columns.FirstOrDefault(Glob.IsPattern) is { } pattern)
            yield return Error(step, number, $"`{pattern}` is a pattern", "It reads its columns in order: name them");
    }

    private static IEnumerable<Diagnostic> Unknown(StepDefinition step, int number, StepKind kind)
    {
        var known = kind.Parameters.Select(p => p.Name).ToList();
        return step.Parameters.Keys.Where(name => !known.Contains(name)).Order(StringComparer.Ordinal)
            .Select(name => Error(step, number, $"it has no parameter `{name}`", Suggestion.Remedy(name, known, "parameters")));
    }

    private static IEnumerable<Diagnostic> Value(StepDefinition step, int number, StepParameter parameter)
    {
        if (!step.Parameters.TryGetValue(parameter.Name, out var text))
            yield break;
        var wanted = parameter.Type switch
        {
            StepParameterType.Choice or StepParameterType.Flag => parameter.Choices.Contains(text) ? null : $"It must be one of {string.Join(", ", parameter.Choices)}",
            StepParameterType.Integer => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) && whole >= parameter.Min && whole <= parameter.Max
                ? null
                : $"It must be {parameter.Min:N0} to {parameter.Max:N0}",
            StepParameterType.Number => IsNumber(text, parameter) ? null : NumberRange(parameter),
            StepParameterType.Numbers => Ascend(text) ? null : "It must be ascending numbers with commas between them: 0,10,60",
            _ => null,
        };
        if (wanted is not null)
            yield return Error(step, number, $"{parameter.Name} is {text}", wanted);
    }

    // Parameters that need or exclude one another.
    private static IEnumerable<Diagnostic> Together(StepDefinition step, int number)
    {
        var read = new StepParameters(step);
        Diagnostic? finding = step.Kind switch
        {
            "impute" when read.Text("strategy") == "constant" && read.TextOrNull("value") is null => Error(step, number, "strategy is constant and there is no value", "Give it one: value: 0"),
            "impute" when read.Text("strategy") != "constant" && read.TextOrNull("value") is not null =>
                Error(step, number, $"it has a value and its strategy is {read.Text("strategy")}", "Take the value away, or say strategy: constant"),
            "hash" when read.Text("output") == "slots" && read.Integer("buckets") > 4_096 => Error(step, number, $"buckets is {read.Integer("buckets")}", "As slots it must be 2 to 4,096"),
            "discretize" when read.Text("method") == "bounds" != (read.TextOrNull("bounds") is not null) =>
                Error(step, number, $"method is {read.Text("method")} and it has {(read.TextOrNull("bounds") is null ? "no bounds" : "bounds")}", "Bounds belong to method: bounds, and only there"),
            "cyclic" when (read.TextOrNull("period") is null) == (read.TextOrNull("part") is null) =>
                Error(step, number, "it must have a period or a part", "Give a number its period (period: 24), a time its part (part: hour_of_day)"),
            "time_part" when read.TextOrNull("part") is null => Error(step, number, "it has no part", "Say which: part: hour"),
            "time_part" when read.TextOrNull("part") == "age" != (read.TextOrNull("against") is not null) =>
                Error(step, number, $"part is {read.TextOrNull("part")} and it has {(read.TextOrNull("against") is null ? "no `against`" : "an `against`")}", "Part age is taken against another timestamp: against: event_time"),
            "min_max" or "robust" when !(read.Number("low") < read.Number("high")) => Error(step, number, $"low is {read.Text("low")} and high is {read.Text("high")}", "low must be less than high"),
            "clip" => Clip(step, number, read),
            _ => null,
        };
        return finding is null ? [] : [finding];
    }

    private static Diagnostic? Clip(StepDefinition step, int number, StepParameters read)
    {
        foreach (var (low, high) in new[] { ("low", "high"), ("low_quantile", "high_quantile") })
        {
            if (read.NumberOrNull(low) is { } l && read.NumberOrNull(high) is { } h && !(l < h))
                return Error(step, number, $"{low} is {l} and {high} is {h}", $"{low} must be less than {high}");
        }

        if (step.Parameters.ContainsKey("low") && step.Parameters.ContainsKey("low_quantile"))
            return Error(step, number, "it has low and low_quantile", "Give one of them");
        if (step.Parameters.ContainsKey("high") && step.Parameters.ContainsKey("high_quantile"))
            return Error(step, number, "it has high and high_quantile", "Give one of them");
        return step.Parameters.Keys.Any(k => k != "keep") ? null : Error(step, number, "it has no bound", "Give it low, high, low_quantile or high_quantile");
    }

    private static bool IsTimeDifference(StepDefinition step) => step.Kind == "time_part" && step.Parameters.GetValueOrDefault("part") == "difference";

    private static bool IsNumber(string text, StepParameter parameter) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) && value >= parameter.Min && value <= parameter.Max;

    private static string NumberRange(StepParameter parameter) => (parameter.Min, parameter.Max) switch
    {
        (double.MinValue, _) => "It must be a number",
        (double.Epsilon, var high) => $"It must be a number greater than 0, up to {high:N0}",
        var (low, high) => $"It must be a number from {low:#,0.######} to {high:#,0.######}",
    };

    private static bool Ascend(string text)
    {
        if (!StepParameters.TryNumbers(text, out var numbers) || numbers.Length == 0)
            return false;
        for (var i = 1; i < numbers.Length; i++)
        {
            if (!(numbers[i - 1] < numbers[i]))
                return false;
        }

        return true;
    }
}
