using System.Globalization;

namespace StreamMl.ModelEngine.Steps;

/// <summary>The parameters of a step that passed <see cref="StepChecks"/>, with the kind's defaults. Pure.</summary>
internal sealed class StepParameters(StepDefinition step)
{
    private readonly StepKind kind = StepCatalog.Find(step.Kind)!;

    public string? TextOrNull(string name) =>
        step.Parameters.TryGetValue(name, out var text) ? text : kind.Parameters.First(p => p.Name == name).Default;

    public string Text(string name) => TextOrNull(name) ?? throw new InvalidOperationException($"step {step.Kind} has no {name}, and the checks let it pass");

    public bool Flag(string name) => Text(name) == "true";

    public int Integer(string name) => int.Parse(Text(name), CultureInfo.InvariantCulture);

    public double Number(string name) => double.Parse(Text(name), CultureInfo.InvariantCulture);

    public double? NumberOrNull(string name) => TextOrNull(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;

    public double[] Numbers(string name) => TryNumbers(Text(name), out var numbers) ? numbers : throw new FormatException($"{name} is {Text(name)}");

    public static bool TryNumbers(string text, out double[] numbers)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        numbers = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]) || !double.IsFinite(numbers[i]))
                return false;
        }

        return true;
    }
}
