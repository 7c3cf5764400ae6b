namespace StreamMl.ModelEngine.Calibration;

/// <summary>What a Platt calibrator takes a score for.</summary>
public enum PlattScale
{
    /// <summary>The score as it is: a margin, log-odds.</summary>
    Score,

    /// <summary>A probability, of which the log-odds are taken first; then slope 1 and intercept 0 change nothing.</summary>
    Probability,
}

/// <summary>
/// 1 / (1 + exp(-(slope * x + intercept))), fitted by maximum likelihood with Newton's method and backtracking on J. Platt's smoothed targets, as in H.-T. Lin,
/// C.-J. Lin, R. C. Weng, "A note on Platt's probabilistic outputs for support vector machines" (2007); there A = -slope, B = -intercept.
/// </summary>
/// <param name="Slope">Not negative.</param>
public sealed record PlattCalibrator(double Slope, double Intercept, PlattScale Scale) : Calibrator
{
    private const int MaxIterations = 100;
    private const double SmallestStep = 1e-10;
    private const double Ridge = 1e-12;
    private const double Tolerance = 1e-8;

    public override double Apply(double score)
    {
        var f = (Slope * Input(score, Scale)) + Intercept;
        return f >= 0 ? 1 / (1 + Math.Exp(-f)) : Math.Exp(f) / (1 + Math.Exp(f));
    }

    /// <summary>Fits on held-out rows. Scores that rank the wrong way give slope 0: the share of positives for every score.</summary>
    /// <param name="weights">One per row; empty: all 1.</param>
    /// <exception cref="ArgumentException">No rows, one class only, or lengths that differ.</exception>
    public static PlattCalibrator Fit(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels, ReadOnlySpan<double> weights = default, PlattScale scale = PlattScale.Score)
    {
        var rows = CalibrationRows.Of(scores, labels, weights);
        double[] x = [.. rows.Scores.Select(s => Input(s, scale))];
        // Platt's targets: as if each class had one more row of the other.
        var (high, low) = ((rows.Positives + 1) / (rows.Positives + 2), 1 / (rows.Negatives + 2));
        double[] targets = [.. rows.Labels.Select(l => l ? high : low)];
        var (slope, intercept) = Newton(x, targets, rows.Weights, (0, Math.Log((rows.Positives + 1) / (rows.Negatives + 1))));
        return slope > 0 ? new PlattCalibrator(slope, intercept, scale) : new PlattCalibrator(0, Math.Log((rows.Positives + 1) / (rows.Negatives + 1)), scale);
    }

    private static double Input(double score, PlattScale scale)
    {
        if (scale == PlattScale.Score || double.IsNaN(score))
            return score;
        var p = Math.Clamp(score, Metrics.ProbabilityMetrics.Smallest, 1 - Metrics.ProbabilityMetrics.Smallest);
        return Math.Log(p / (1 - p));
    }

    private static (double Slope, double Intercept) Newton(double[] x, double[] targets, double[] weights, (double Slope, double Intercept) at)
    {
        var loss = Loss(x, targets, weights, at);
        for (var iteration = 0; iteration < MaxIterations; iteration++)
        {
            var (g, h) = Derivatives(x, targets, weights, at);
            if (Math.Abs(g.Slope) < Tolerance && Math.Abs(g.Intercept) < Tolerance)
                break;
            var determinant = (h.Slope * h.Intercept) - (h.Both * h.Both);
            var step = (Slope: -((h.Intercept * g.Slope) - (h.Both * g.Intercept)) / determinant, Intercept: -((h.Slope * g.Intercept) - (h.Both * g.Slope)) / determinant);
            var descent = (g.Slope * step.Slope) + (g.Intercept * step.Intercept);
            var length = 1.0;
            for (; length >= SmallestStep; length /= 2)
            {
                var next = (at.Slope + (length * step.Slope), at.Intercept + (length * step.Intercept));
                var nextLoss = Loss(x, targets, weights, next);
                if (nextLoss < loss + (0.0001 * length * descent))
                {
                    (at, loss) = (next, nextLoss);
                    break;
                }
            }

            // No step makes it better: rounding is all that is left.
            if (length < SmallestStep)
                break;
        }

        return at;
    }

    // -sum w (t ln p + (1 - t) ln (1 - p)), without overflow.
    private static double Loss(double[] x, double[] targets, double[] weights, (double Slope, double Intercept) at)
    {
        double sum = 0;
        for (var i = 0; i < x.Length; i++)
        {
            var f = (at.Slope * x[i]) + at.Intercept;
            sum += weights[i] * (f >= 0 ? ((1 - targets[i]) * f) + Math.Log(1 + Math.Exp(-f)) : (-targets[i] * f) + Math.Log(1 + Math.Exp(f)));
        }

        return sum;
    }

    private static ((double Slope, double Intercept) Gradient, (double Slope, double Intercept, double Both) Hessian) Derivatives(
        double[] x, double[] targets, double[] weights, (double Slope, double Intercept) at)
    {
        double gs = 0, gi = 0, hs = Ridge, hi = Ridge, hb = 0;
        for (var i = 0; i < x.Length; i++)
        {
            var f = (at.Slope * x[i]) + at.Intercept;
            var p = f >= 0 ? 1 / (1 + Math.Exp(-f)) : Math.Exp(f) / (1 + Math.Exp(f));
            var (d1, d2) = (weights[i] * (p - targets[i]), weights[i] * p * (1 - p));
            gs += d1 * x[i];
            gi += d1;
            hs += d2 * x[i] * x[i];
            hi += d2;
            hb += d2 * x[i];
        }

        return ((gs, gi), (hs, hi, hb));
    }
}
