namespace StreamMl.ModelEngine.Scoring;

/// <summary>What turns raw scores into scores.</summary>
public enum ModelLink
{
    /// <summary>The raw score is the score: regression; a binary forest, whose calibrator makes a probability of it.</summary>
    Identity,

    /// <summary>1 / (1 + exp(-raw)): the raw score is the log odds of the positive class.</summary>
    Sigmoid,

    /// <summary>exp(raw[k]) / sum of exp(raw): one raw score per class.</summary>
    Softmax,

    /// <summary>The sigmoid of each class's raw score, divided by their sum: one classifier per class against the rest.</summary>
    OneVersusRest,
}

/// <summary>Applies a link. Pure; thread-safe.</summary>
internal static class Links
{
    public static void Apply(ModelLink link, Span<double> scores)
    {
        switch (link)
        {
            case ModelLink.Sigmoid:
                Sigmoid(scores);
                break;
            case ModelLink.Softmax:
                Softmax(scores);
                break;
            case ModelLink.OneVersusRest:
                Sigmoid(scores);
                Normalize(scores);
                break;
            default:
                break;
        }
    }

    private static void Sigmoid(Span<double> scores)
    {
        foreach (ref var score in scores)
            score = 1 / (1 + Math.Exp(-score));
    }

    private static void Softmax(Span<double> scores)
    {
        var greatest = double.NegativeInfinity;
        foreach (var score in scores)
            greatest = Math.Max(greatest, score);
        foreach (ref var score in scores)
            score = Math.Exp(score - greatest);
        Normalize(scores);
    }

    private static void Normalize(Span<double> scores)
    {
        var sum = 0.0;
        foreach (var score in scores)
            sum += score;
        // All classes refused: none is likelier than another.
        foreach (ref var score in scores)
            score = sum == 0 ? 1.0 / scores.Length : score / sum;
    }
}
