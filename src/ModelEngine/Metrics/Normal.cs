namespace StreamMl.ModelEngine.Metrics;

/// <summary>The standard normal distribution. Pure; thread-safe.</summary>
public static class Normal
{
    /// <summary>P(Z ≤ x), to about 1e-15 absolutely: the series of G. Marsaglia, "Evaluating the normal distribution" (2004).</summary>
    public static double Cdf(double x)
    {
        if (double.IsNaN(x))
            return x;
        if (Math.Abs(x) > 9)
            return x < 0 ? 0 : 1;
        double sum = x, term = x, before = 0;
        for (var i = 3; sum != before; i += 2)
        {
            before = sum;
            term *= x * x / i;
            sum += term;
        }

        return 0.5 + (sum * Math.Exp((-0.5 * x * x) - 0.918_938_533_204_672_741_78));
    }

    /// <summary>The x with P(Z ≤ x) = <paramref name="share"/>, by bisection of <see cref="Cdf"/>: exact enough for intervals, and simple.</summary>
    /// <param name="share">Between 0 and 1, both excluded.</param>
    public static double Quantile(double share)
    {
        if (!(share > 0 && share < 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "a share must be between 0 and 1, both excluded");
        double low = -9, high = 9;
        while (high - low > 1e-13)
        {
            var middle = (low + high) / 2;
            if (Cdf(middle) < share)
                low = middle;
            else
                high = middle;
        }

        return (low + high) / 2;
    }
}
