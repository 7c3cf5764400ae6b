using StreamMl.ModelEngine;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>What the scores of a row come to.</summary>
/// <param name="Score">The probability of the positive class, the estimate, or the greatest probability of a class.</param>
/// <param name="Decision">The class that is decided; null for a regression, or where there is no score (NaN).</param>
public readonly record struct Verdict(double Score, string? Decision)
{
    /// <param name="code">The model.</param>
    /// <param name="threshold">A binary model's least score that is decided positive.</param>
    /// <param name="scores">One per class, or one.</param>
    public static Verdict Of(IModelCode code, double? threshold, ReadOnlySpan<double> scores)
    {
        var best = Best(scores);
        var score = scores[best];
        var decided = code.Task switch
        {
            ModelTask.Regression => -1,
            _ when double.IsNaN(score) => -1,
            ModelTask.Binary => score >= (threshold ?? code.Threshold) ? 1 : 0,
            _ => best,
        };
        return new Verdict(score, decided < 0 ? null : code.Classes[decided]);
    }

    /// <summary>The first of the greatest.</summary>
    public static int Best(ReadOnlySpan<double> scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
        {
            if (scores[i] > scores[best])
                best = i;
        }

        return best;
    }
}
