using System.Text.Json.Serialization;

namespace StreamMl.ModelEngine.Profiles;

/// <summary>A quantile of a profile: a share of the present values is not greater than the value.</summary>
public readonly record struct ProfileQuantile(double Share, double Value);

/// <summary>What a column was like over some rows. Immutable.</summary>
/// <param name="Layout">How it was counted.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Missing">Rows without a value: null or NaN.</param>
/// <param name="Counts">Rows per bin of the layout; of a string, per category and then of all others. With <paramref name="Missing"/> they add up to <paramref name="Rows"/>.</param>
/// <param name="Moments">Of the finite values of a number or boolean; null where there are none. Of a timestamp least and greatest alone mean something.</param>
public sealed record ColumnProfile(ColumnLayout Layout, long Rows, long Missing, IReadOnlyList<long> Counts, ProfileMoments? Moments = null)
{
    private static readonly double[] Shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

    [JsonIgnore]
    public string Name => Layout.Name;

    public double MissingShare => Rows == 0 ? 0 : (double)Missing / Rows;

    /// <summary>The 1, 5, 25, 50, 75, 95 and 99% quantiles of a number, read off the histogram: exact at its edges, straight lines between them.</summary>
    public IReadOnlyList<ProfileQuantile> Quantiles => Layout.Edges.Count == 0 || Moments is null ? [] : [.. Shares.Select(s => new ProfileQuantile(s, Quantile(s)))];

    /// <summary>The profile of both parts together: the same as of all their rows at once, but for rounding of mean and deviation.</summary>
    /// <exception cref="ArgumentException">The layouts differ.</exception>
    public ColumnProfile Merge(ColumnProfile other)
    {
        if (!Layout.IsSameAs(other.Layout))
            throw new ArgumentException($"the profiles of '{Name}' and '{other.Name}' were counted by different layouts: count both by the reference's", nameof(other));
        return new ColumnProfile(Layout, Rows + other.Rows, Missing + other.Missing, [.. Counts.Zip(other.Counts, (a, b) => a + b)], ProfileMoments.Merge(Moments, other.Moments));
    }

    private double Quantile(double share)
    {
        var wanted = share * (Rows - Missing);
        double below = 0;
        for (var bin = 0; bin < Counts.Count; bin++)
        {
            if (Counts[bin] > 0 && below + Counts[bin] >= wanted)
            {
                var low = bin == 0 ? Moments!.Least : Math.Max(Layout.Edges[bin - 1], Moments!.Least);
                var high = bin == Layout.Edges.Count ? Moments.Greatest : Math.Min(Layout.Edges[bin], Moments.Greatest);
                return low + ((high - low) * (wanted - below) / Counts[bin]);
            }

            below += Counts[bin];
        }

        return Moments!.Greatest;
    }
}

/// <summary>Mean, deviation and range of the finite values of a column.</summary>
/// <param name="Count">Number of values.</param>
/// <param name="Deviation">The population's.</param>
public sealed record ProfileMoments(long Count, double Mean, double Deviation, double Least, double Greatest)
{
    /// <summary>Of both parts together (T. Chan, G. Golub, R. LeVeque 1979).</summary>
    public static ProfileMoments? Merge(ProfileMoments? a, ProfileMoments? b)
    {
        if (a is null || b is null)
            return a ?? b;
        var count = a.Count + b.Count;
        var (shareA, shareB, distance) = ((double)a.Count / count, (double)b.Count / count, b.Mean - a.Mean);
        var variance = (shareA * a.Deviation * a.Deviation) + (shareB * b.Deviation * b.Deviation) + (shareA * shareB * distance * distance);
        return new ProfileMoments(count, a.Mean + (shareB * distance), Math.Sqrt(variance), Math.Min(a.Least, b.Least), Math.Max(a.Greatest, b.Greatest));
    }
}
