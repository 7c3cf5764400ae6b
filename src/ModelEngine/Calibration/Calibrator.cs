using System.Text.Json.Serialization;

namespace StreamMl.ModelEngine.Calibration;

/// <summary>
/// Turns a model's score into a probability that can be taken at its word. Never descending in the score, so it changes no ranking but for ties. Fitted on rows that
/// the model was not trained on. JSON-serializable (<c>PipelineJson</c>); immutable; thread-safe.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(IdentityCalibrator), "identity")]
[JsonDerivedType(typeof(PlattCalibrator), "platt")]
[JsonDerivedType(typeof(IsotonicCalibrator), "isotonic")]
[JsonDerivedType(typeof(PriorShiftCalibrator), "prior_shift")]
[JsonDerivedType(typeof(ChainCalibrator), "chain")]
public abstract record Calibrator
{
    /// <param name="score">A score on the scale of those that were fitted on; NaN gives NaN.</param>
    /// <returns>A probability, 0 to 1 (of <see cref="IdentityCalibrator"/>: the score as it is).</returns>
    public abstract double Apply(double score);

    /// <summary>Applies it to each score in place.</summary>
    public void Apply(Span<double> scores)
    {
        foreach (ref var score in scores)
            score = Apply(score);
    }
}

/// <summary>The score as it is.</summary>
public sealed record IdentityCalibrator : Calibrator
{
    public override double Apply(double score) => score;
}

/// <summary>One after the other: the correction of a sampled prior, then what is left to correct.</summary>
public sealed record ChainCalibrator(IReadOnlyList<Calibrator> Calibrators) : Calibrator
{
    public override double Apply(double score)
    {
        foreach (var calibrator in Calibrators)
            score = calibrator.Apply(score);
        return score;
    }
}
