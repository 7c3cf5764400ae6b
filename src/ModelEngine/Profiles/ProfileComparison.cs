namespace StreamMl.ModelEngine.Profiles;

/// <summary>How far a column moved between two profiles of one layout.</summary>
/// <param name="Psi">
/// Population stability index over all bins, the missing bin among them: sum of (q - p) ln(q / p), each share with half a row added so that an empty bin is finite
/// (N. Siddiqi, "Credit risk scorecards", 2006; it is the symmetrised Kullback-Leibler divergence).
/// </param>
/// <param name="ExpectedPsi">What it is on average where nothing moved, of so many rows: (bins - 1) (1/n + 1/m) (B. Yurdakul 2018). A PSI near it says nothing.</param>
/// <param name="Distance">
/// Of a number the Kolmogorov-Smirnov distance of the present values at the bins' edges (a lower bound of the exact one); of a string the total variation distance.
/// 0 to 1; null where one side has no values.
/// </param>
/// <param name="MeanShift">Difference of the means in deviations of the reference; null for strings, and where there is no deviation.</param>
/// <param name="MissingBefore">Share of missing values in the reference.</param>
/// <param name="MissingAfter">Share of missing values in the other.</param>
public sealed record ProfileComparison(string Column, double Psi, double ExpectedPsi, double MissingBefore, double MissingAfter, double? Distance = null, double? MeanShift = null)
{
    /// <exception cref="ArgumentException">The layouts differ.</exception>
    public static ProfileComparison Of(ColumnProfile reference, ColumnProfile current)
    {
        if (!reference.Layout.IsSameAs(current.Layout))
            throw new ArgumentException($"the profiles of '{reference.Name}' and '{current.Name}' were counted by different layouts: count both by the reference's", nameof(current));
        var isText = reference.Layout.Type == Shared.Events.FieldType.String;
        return new ProfileComparison(
            reference.Name, PsiOf([.. reference.Counts, reference.Missing], [.. current.Counts, current.Missing]), Expected(reference, current),
            reference.MissingShare, current.MissingShare,
            isText ? TotalVariation(reference.Counts, current.Counts) : KolmogorovSmirnov(reference.Counts, current.Counts),
            isText ? null : Shift(reference.Moments, current.Moments));
    }

    /// <summary>All columns of two profiles, the one that moved most first.</summary>
    public static IReadOnlyList<ProfileComparison> Of(Profile reference, Profile current) =>
        [.. reference.Columns.Zip(current.Columns, Of).OrderByDescending(c => c.Psi).ThenBy(c => c.Column, StringComparer.Ordinal)];

    // Half a row in every bin.
    private static double PsiOf(long[] reference, long[] current)
    {
        var (n, m) = (reference.Sum() + (reference.Length / 2.0), current.Sum() + (current.Length / 2.0));
        double sum = 0;
        for (var i = 0; i < reference.Length; i++)
        {
            var (p, q) = ((reference[i] + 0.5) / n, (current[i] + 0.5) / m);
            sum += (q - p) * Math.Log(q / p);
        }

        return sum;
    }

    private static double Expected(ColumnProfile reference, ColumnProfile current) =>
        reference.Rows == 0 || current.Rows == 0 ? 0 : reference.Counts.Count * ((1.0 / reference.Rows) + (1.0 / current.Rows));

    private static double? KolmogorovSmirnov(IReadOnlyList<long> reference, IReadOnlyList<long> current)
    {
        double n = reference.Sum(), m = current.Sum(), below = 0, belowCurrent = 0, most = 0;
        if (n == 0 || m == 0)
            return null;
        for (var i = 0; i < reference.Count; i++)
        {
            below += reference[i];
            belowCurrent += current[i];
            most = Math.Max(most, Math.Abs((below / n) - (belowCurrent / m)));
        }

        return most;
    }

    private static double? TotalVariation(IReadOnlyList<long> reference, IReadOnlyList<long> current)
    {
        double n = reference.Sum(), m = current.Sum();
        return n == 0 || m == 0 ? null : reference.Zip(current, (a, b) => Math.Abs((a / n) - (b / m))).Sum() / 2;
    }

    private static double? Shift(ProfileMoments? reference, ProfileMoments? current) =>
        reference is null || current is null || reference.Deviation == 0 ? null : (current.Mean - reference.Mean) / reference.Deviation;
}
