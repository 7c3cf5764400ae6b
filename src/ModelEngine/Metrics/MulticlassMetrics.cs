namespace StreamMl.ModelEngine.Metrics;

/// <summary>
/// Metrics of more than two classes. Scores are one row after the other, <c>classes</c> each; labels are classes from 0. Pure; thread-safe. A class that no
/// label has does not enter a mean over classes.
/// </summary>
public static class MulticlassMetrics
{
    /// <summary>Weight of rows by [label, decision]; the decision is the class with the greatest score, of equal ones the first.</summary>
    public static double[,] Confusion(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, int classes, ReadOnlySpan<double> weights = default)
    {
        Check(scores, labels, classes, weights);
        var matrix = new double[classes, classes];
        for (var i = 0; i < labels.Length; i++)
            matrix[labels[i], Decision(scores.Slice(i * classes, classes))] += Rows.Weight(weights, i);
        return matrix;
    }

    /// <summary>Share of rows decided right. With one label per row this is micro-averaged precision, recall and F1 as well.</summary>
    public static double Accuracy(double[,] confusion)
    {
        double right = 0, total = 0;
        for (var label = 0; label < confusion.GetLength(0); label++)
        {
            right += confusion[label, label];
            for (var decision = 0; decision < confusion.GetLength(1); decision++)
                total += confusion[label, decision];
        }

        return right / total;
    }

    /// <summary>One class against all others.</summary>
    public static ConfusionMatrix OneAgainstRest(double[,] confusion, int label)
    {
        double row = 0, column = 0, total = 0;
        for (var i = 0; i < confusion.GetLength(0); i++)
        {
            row += confusion[label, i];
            column += confusion[i, label];
            for (var j = 0; j < confusion.GetLength(1); j++)
                total += confusion[i, j];
        }

        var right = confusion[label, label];
        return new ConfusionMatrix(right, column - right, total - row - column + right, row - right);
    }

    /// <summary>Mean over the classes of each one's F1.</summary>
    public static double MacroF1(double[,] confusion) =>
        MeanOf(Enumerable.Range(0, confusion.GetLength(0)).Select(c => OneAgainstRest(confusion, c)).Where(m => m.TruePositives + m.FalseNegatives > 0).Select(m => m.F1));

    /// <summary>Mean of -ln(probability given to the label's class), probabilities held to at least <see cref="ProbabilityMetrics.Smallest"/>.</summary>
    public static double LogLoss(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, int classes, ReadOnlySpan<double> weights = default)
    {
        Check(scores, labels, classes, weights);
        double sum = 0, total = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            sum -= Rows.Weight(weights, i) * Math.Log(Math.Clamp(scores[(i * classes) + labels[i]], ProbabilityMetrics.Smallest, 1));
            total += Rows.Weight(weights, i);
        }

        return sum / total;
    }

    /// <summary>Mean over the classes of the ROC-AUC of one class against all others (Provost and Domingos 2000, unweighted).</summary>
    public static double MacroAuc(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, int classes, ReadOnlySpan<double> weights = default)
    {
        Check(scores, labels, classes, weights);
        var areas = new double[classes];
        for (var c = 0; c < classes; c++)
        {
            var (own, isOwn) = (new double[labels.Length], new bool[labels.Length]);
            for (var i = 0; i < labels.Length; i++)
                (own[i], isOwn[i]) = (scores[(i * classes) + c], labels[i] == c);
            areas[c] = RankingMetrics.RocAuc(own, isOwn, weights);
        }

        return MeanOf(areas.Where(a => !double.IsNaN(a)));
    }

    /// <summary>ROC-AUC of all (row, class) pairs together, a pair being positive where the class is the label.</summary>
    public static double MicroAuc(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, int classes, ReadOnlySpan<double> weights = default)
    {
        Check(scores, labels, classes, weights);
        var isLabel = new bool[scores.Length];
        var pairWeights = weights.IsEmpty ? [] : new double[scores.Length];
        for (var i = 0; i < scores.Length; i++)
        {
            isLabel[i] = labels[i / classes] == i % classes;
            if (!weights.IsEmpty)
                pairWeights[i] = weights[i / classes];
        }

        return RankingMetrics.RocAuc(scores, isLabel, pairWeights);
    }

    /// <summary>The class with the greatest score, of equal ones the first.</summary>
    public static int Decision(ReadOnlySpan<double> scores)
    {
        var best = 0;
        for (var c = 1; c < scores.Length; c++)
        {
            if (scores[c] > scores[best])
                best = c;
        }

        return best;
    }

    private static double MeanOf(IEnumerable<double> values)
    {
        double sum = 0;
        var count = 0;
        foreach (var value in values)
        {
            sum += value;
            count++;
        }

        return sum / count;
    }

    private static void Check(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, int classes, ReadOnlySpan<double> weights)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        if (scores.Length != (long)labels.Length * classes)
            throw new ArgumentException($"there are {scores.Length} scores for {labels.Length} rows of {classes} classes: give {(long)labels.Length * classes}", nameof(scores));
        Rows.Check(scores, scores.Length, default);
        if (!weights.IsEmpty && weights.Length != labels.Length)
            throw new ArgumentException($"there are {weights.Length} weights and {labels.Length} labels: give one of each per row, or no weights", nameof(weights));
        foreach (var label in labels)
        {
            if (label < 0 || label >= classes)
                throw new ArgumentException($"a label is class {label} and the classes are 0 to {classes - 1}", nameof(labels));
        }
    }
}
