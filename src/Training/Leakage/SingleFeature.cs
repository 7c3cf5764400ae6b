namespace StreamMl.Training.Leakage;

/// <summary>How well one column alone tells yes from no. Pure.</summary>
internal static class SingleFeature
{
    private const int Bins = 64;

    /// <summary>Area under the ROC curve; ties count half. NaN values are left out; NaN where a class has no row.</summary>
    public static double Auc(ReadOnlySpan<float> values, ReadOnlySpan<bool> labels)
    {
        var (keys, marks, count) = (new float[values.Length], new bool[values.Length], 0);
        for (var i = 0; i < values.Length; i++)
        {
            if (float.IsNaN(values[i]))
                continue;
            (keys[count], marks[count]) = (values[i], labels[i]);
            count++;
        }

        Array.Sort(keys, marks, 0, count);
        double below = 0, positives = 0, negatives = 0;
        for (var start = 0; start < count;)
        {
            double yes = 0, no = 0;
            var end = start;
            for (; end < count && keys[end].Equals(keys[start]); end++)
                _ = marks[end] ? yes++ : no++;
            below += yes * (negatives + (no / 2));
            positives += yes;
            negatives += no;
            start = end;
        }

        return below / (positives * negatives);
    }

    /// <summary>The same without a direction: 0.5 knows nothing, 1 everything.</summary>
    public static double Strength(ReadOnlySpan<float> values, ReadOnlySpan<bool> labels)
    {
        var auc = Auc(values, labels);
        return double.IsNaN(auc) ? 0.5 : Math.Max(auc, 1 - auc);
    }

    /// <summary>
    /// AUC of the rate of yes in the value's bin (64 quantiles; a text is its own; missing is one), the rates taken from the other half of the rows: what a model could make of
    /// this column alone, whatever its shape.
    /// </summary>
    public static double BinnedAuc(ReadOnlySpan<float> values, ReadOnlySpan<bool> labels, bool isText)
    {
        var bins = isText ? TextBins(values) : QuantileBins(values);
        var scores = new float[values.Length];
        for (var half = 0; half < 2; half++)
        {
            var (yes, all, total, rows) = (new Dictionary<int, int>(), new Dictionary<int, int>(), 0, 0);
            for (var i = half; i < bins.Length; i += 2)
            {
                all[bins[i]] = all.GetValueOrDefault(bins[i]) + 1;
                yes[bins[i]] = yes.GetValueOrDefault(bins[i]) + (labels[i] ? 1 : 0);
                total += labels[i] ? 1 : 0;
                rows++;
            }

            // Ten rows at the mean rate: a bin of one row knows nothing.
            var mean = rows == 0 ? 0 : total / (double)rows;
            for (var i = 1 - half; i < bins.Length; i += 2)
                scores[i] = (float)((yes.GetValueOrDefault(bins[i]) + (10 * mean)) / (all.GetValueOrDefault(bins[i]) + 10));
        }

        var auc = Auc(scores, labels);
        return double.IsNaN(auc) ? 0.5 : auc;
    }

    private static int[] TextBins(ReadOnlySpan<float> values)
    {
        var bins = new int[values.Length];
        for (var i = 0; i < bins.Length; i++)
            bins[i] = float.IsNaN(values[i]) ? -1 : (int)values[i];
        return bins;
    }

    private static int[] QuantileBins(ReadOnlySpan<float> values)
    {
        var sorted = values.ToArray().Where(v => !float.IsNaN(v)).ToArray();
        Array.Sort(sorted);
        var edges = sorted.Length == 0 ? [] : Enumerable.Range(1, Bins - 1).Select(b => sorted[(int)((long)b * sorted.Length / Bins)]).Distinct().ToArray();
        var bins = new int[values.Length];
        for (var i = 0; i < bins.Length; i++)
        {
            var at = float.IsNaN(values[i]) ? -2 : Array.BinarySearch(edges, values[i]);
            // A value on an edge is a bin of its own: often it is most of the rows.
            bins[i] = float.IsNaN(values[i]) ? -1 : at >= 0 ? (2 * at) + 1 : 2 * ~at;
        }

        return bins;
    }
}
