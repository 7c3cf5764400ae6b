namespace StreamMl.ModelEngine.Sampling;

/// <summary>Weights of training rows. Pure; thread-safe.</summary>
public static class RowWeights
{
    /// <summary>
    /// 2^(-age / half-life): a row one half-life old counts half. Rows younger than <paramref name="nowUs"/> count 1.
    /// </summary>
    /// <param name="timesUs">Time of every row, microseconds.</param>
    /// <param name="nowUs">The time from which age is counted: the end of the training part.</param>
    /// <param name="halfLife">More than nothing.</param>
    public static double[] TimeDecayed(ReadOnlySpan<long> timesUs, long nowUs, TimeSpan halfLife)
    {
        if (halfLife <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(halfLife), halfLife, "a half-life must be more than nothing");
        var halfLifeUs = halfLife.TotalMicroseconds;
        var weights = new double[timesUs.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = Math.Pow(2, -Math.Max(0, (double)nowUs - timesUs[i]) / halfLifeUs);
        return weights;
    }

    /// <summary>Weight of each class that makes all classes weigh the same: rows / (classes * rows of the class) (King and Zeng 2001; scikit-learn's "balanced").</summary>
    /// <param name="classes">Class of every row, from 0. A class without rows has weight 0.</param>
    public static double[] Balanced(ReadOnlySpan<int> classes)
    {
        var counts = Samples.Members(classes).Select(m => m.Count).ToArray();
        var (present, rows) = (counts.Count(c => c > 0), (double)classes.Length);
        return [.. counts.Select(c => c == 0 ? 0 : rows / (present * (double)c))];
    }

    /// <summary>The weight of each row from the weight of its class.</summary>
    public static double[] OfClasses(ReadOnlySpan<int> classes, IReadOnlyList<double> classWeights)
    {
        var weights = new double[classes.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = classWeights[classes[i]];
        return weights;
    }
}
