using System.Text.Json.Serialization;

namespace StreamMl.ModelEngine.Steps;

/// <summary>One number of the vector that a model reads.</summary>
/// <param name="Name">Unique within the pipeline: <c>origin=JFK</c>, <c>distance</c>.</param>
/// <param name="Sources">Names of the inputs that it is computed from.</param>
/// <param name="Cardinality">
/// 0 for a number. Otherwise the slot is categorical: it holds a whole number from 0 to <paramref name="Cardinality"/> - 1, or NaN for a missing or
/// unknown value.
/// </param>
public sealed record Slot(string Name, IReadOnlyList<string> Sources, int Cardinality)
{
    [JsonIgnore]
    public bool IsCategorical => Cardinality > 0;
}
