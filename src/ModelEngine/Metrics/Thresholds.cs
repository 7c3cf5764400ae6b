namespace StreamMl.ModelEngine.Metrics;

/// <summary>A threshold and what it gives on the rows that it was chosen on.</summary>
/// <param name="Threshold">Scores from here on are decided positive.</param>
/// <param name="Value">What was optimised: mean cost per row, or F1.</param>
public sealed record ThresholdChoice(double Threshold, double Value, ConfusionMatrix Matrix);

/// <summary>Chooses decision thresholds on validation rows. Pure; thread-safe.</summary>
public static class Thresholds
{
    /// <summary>
    /// The threshold with the least mean cost, of all that part the rows: every distinct score, and one above them all. Of equal ones, the highest: it
    /// decides positive least often.
    /// </summary>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public static ThresholdChoice Cheapest(ScoreGroups groups, CostMatrix costs) => Best(groups, m => -costs.Of(m)) is var best ? best with { Value = -best.Value } : best;

    /// <summary>The threshold with the greatest F1; of equal ones, the highest.</summary>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public static ThresholdChoice GreatestF1(ScoreGroups groups) => Best(groups, m => m.F1);

    private static ThresholdChoice Best(ScoreGroups groups, Func<ConfusionMatrix, double> value)
    {
        if (groups.Scores.Count == 0)
            throw new ArgumentException("a threshold is chosen on rows, and there are none", nameof(groups));
        var matrix = new ConfusionMatrix(0, 0, groups.TotalNegatives, groups.TotalPositives);
        var best = new ThresholdChoice(double.BitIncrement(groups.Scores[0]), value(matrix), matrix);
        for (var g = 0; g < groups.Scores.Count; g++)
        {
            var (positives, negatives) = (matrix.TruePositives + groups.Positives[g], matrix.FalsePositives + groups.Negatives[g]);
            matrix = new ConfusionMatrix(positives, negatives, Math.Max(0, groups.TotalNegatives - negatives), Math.Max(0, groups.TotalPositives - positives));
            if (value(matrix) > best.Value)
                best = new ThresholdChoice(groups.Scores[g], value(matrix), matrix);
        }

        return best;
    }
}
