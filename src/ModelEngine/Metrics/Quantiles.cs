namespace StreamMl.ModelEngine.Metrics;

/// <summary>Quantiles of sorted values by linear interpolation between neighbours (type 7 of Hyndman and Fan 1996, the default of R and NumPy). Pure.</summary>
public static class Quantiles
{
    /// <param name="sorted">Ascending; at least one, no NaN.</param>
    /// <param name="share">From 0 to 1.</param>
    public static double Of(IReadOnlyList<double> sorted, double share)
    {
        var place = share * (sorted.Count - 1);
        var below = (int)place;
        var value = sorted[below];
        return below + 1 < sorted.Count && place > below ? value + ((place - below) * (sorted[below + 1] - value)) : value;
    }
}
