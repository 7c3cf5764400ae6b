using StreamMl.Infrastructure.Predictions;
using StreamMl.OnlineScorer.Scoring;

namespace StreamMl.Cli.Explaining;

/// <summary>An input of an explained prediction.</summary>
/// <param name="Name">Its name in the service.</param>
/// <param name="Served">The value that was scored.</param>
/// <param name="Recomputed">The value that the archive gives.</param>
/// <param name="IsDefault">The policy put a default in its place, so that the two may differ.</param>
/// <param name="Contribution">To the raw score; null where the model cannot tell.</param>
/// <param name="View">Where it was read from; null where it came with the event.</param>
internal sealed record ExplainedInput(string Name, object? Served, object? Recomputed, bool IsDefault, double? Contribution, PredictionView? View)
{
    /// <summary>Bit for bit: NaN equals itself, 0 does not equal −0.</summary>
    public bool IsSame => IsDefault || (Served is double left && Recomputed is double right
        ? BitConverter.DoubleToInt64Bits(left) == BitConverter.DoubleToInt64Bits(right)
        : Equals(Served, Recomputed));
}

/// <summary>A prediction, computed again.</summary>
/// <param name="Prediction">As it was written.</param>
/// <param name="Where">Where it was found.</param>
/// <param name="Inputs">In the model's order.</param>
/// <param name="Explanation">Null where the model cannot tell.</param>
/// <param name="Scores">What the model gives for the recomputed vector.</param>
internal sealed record ExplainedPrediction(Prediction Prediction, string Where, IReadOnlyList<ExplainedInput> Inputs, ModelExplanation? Explanation, IReadOnlyList<double> Scores)
{
    public int Differing => Inputs.Count(i => !i.IsSame);

    public bool IsSameScore => Scores.Select(BitConverter.DoubleToInt64Bits).SequenceEqual(Prediction.Scores.Select(BitConverter.DoubleToInt64Bits));

    public bool IsEqual => Differing == 0 && IsSameScore;
}
