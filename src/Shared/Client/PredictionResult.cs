using System.Text.Json;

namespace StreamMl.Shared.Client;

/// <summary>How an input moved a score.</summary>
public sealed record InputContribution(string Input, double Contribution);

/// <summary>A row's prediction. Immutable; thread-safe.</summary>
public sealed record PredictionResult
{
    /// <summary>Names model, time, positions and values: the same ones give the same id.</summary>
    public required string Id { get; init; }

    /// <summary>Name of the model that made it.</summary>
    public required string Model { get; init; }

    /// <summary>The version that made it.</summary>
    public required string Version { get; init; }

    /// <summary>The probability of the positive class, the estimate, or the greatest probability of a class; NaN where the model has no score.</summary>
    public required double Score { get; init; }

    /// <summary>The class that was decided; null for a regression, or where there is no score.</summary>
    public required string? Decision { get; init; }

    /// <summary>What the scoring policy says of it: missing:FEATURE, default:FEATURE, stale:VIEW.</summary>
    public required IReadOnlyList<string> Flags { get; init; }

    /// <summary>What the contributions start from; null where they were not asked for, or the model cannot tell.</summary>
    public required double? BaseValue { get; init; }

    /// <summary>By input; with the base value they add up to the raw score. Empty where there is no base value.</summary>
    public required IReadOnlyList<InputContribution> Contributions { get; init; }

    /// <summary>Why the row was not scored; null: it was. All else but model and version is empty then.</summary>
    public required string? Error { get; init; }

    internal static IReadOnlyList<PredictionResult> ReadAll(JsonElement answer)
    {
        var (model, version) = (answer.GetProperty("model").GetString()!, answer.GetProperty("version").GetString()!);
        return [.. answer.GetProperty("predictions").EnumerateArray().Select(p => p.TryGetProperty("error", out var error) ? Failed(error, model, version) : Read(p, model, version))];
    }

    private static PredictionResult Read(JsonElement row, string model, string version)
    {
        var explanation = row.TryGetProperty("explanation", out var e) && e.ValueKind == JsonValueKind.Object ? e : default;
        return new PredictionResult
        {
            Id = row.GetProperty("id").GetString()!,
            Model = model,
            Version = version,
            Score = Number(row.GetProperty("score")),
            Decision = row.GetProperty("decision").GetString(),
            Flags = [.. row.GetProperty("flags").EnumerateArray().Select(f => f.GetString()!)],
            BaseValue = explanation.ValueKind == JsonValueKind.Object ? Number(explanation.GetProperty("base")) : null,
            Contributions = explanation.ValueKind == JsonValueKind.Object
                ? [.. explanation.GetProperty("contributions").EnumerateArray().Select(c => new InputContribution(c.GetProperty("input").GetString()!, Number(c.GetProperty("contribution"))))]
                : [],
            Error = null,
        };
    }

    private static PredictionResult Failed(JsonElement error, string model, string version) => new()
    {
        Id = "",
        Model = model,
        Version = version,
        Score = double.NaN,
        Decision = null,
        Flags = [],
        BaseValue = null,
        Contributions = [],
        Error = $"{error.GetProperty("detail").GetString()}. {error.GetProperty("remedy").GetString()}.",
    };

    /// <summary>JSON has no NaN and no infinities: they come as texts.</summary>
    private static double Number(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? value.GetDouble()
        : value.GetString() switch { "Infinity" => double.PositiveInfinity, "-Infinity" => double.NegativeInfinity, _ => double.NaN };
}
