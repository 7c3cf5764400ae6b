namespace StreamMl.ModelEngine.Calibration;

/// <summary>Held-out rows that a calibrator is fitted on, checked: both classes have weight. Rows of weight 0 are left out.</summary>
internal sealed record CalibrationRows(double[] Scores, bool[] Labels, double[] Weights, double Positives, double Negatives)
{
    public static CalibrationRows Of(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights)
    {
        Metrics.Rows.Check(scores, labels.Length, weights);
        List<double> kept = [], keptWeights = [];
        List<bool> keptLabels = [];
        double positives = 0, negatives = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            var weight = Metrics.Rows.Weight(weights, i);
            if (weight == 0)
                continue;
            kept.Add(scores[i]);
            keptLabels.Add(labels[i]);
            keptWeights.Add(weight);
            _ = labels[i] ? positives += weight : negatives += weight;
        }

        return positives > 0 && negatives > 0
            ? new CalibrationRows([.. kept], [.. keptLabels], [.. keptWeights], positives, negatives)
            : throw new ArgumentException(
                $"calibration needs rows of both classes, and {kept.Count} rows have {positives} positive and {negatives} negative weight: take a longer validation part", nameof(labels));
    }
}
