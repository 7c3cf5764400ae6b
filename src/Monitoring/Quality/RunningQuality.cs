namespace StreamMl.Monitoring.Quality;

/// <summary>
/// The quality of a binary model over the outcomes so far. Log loss, Brier score and rates are exact; ROC-AUC is over 4,096 equal bins of the score, ties within a bin
/// counted half (Mann-Whitney), which is within 1/4,096 of the share of pairs that fall into one bin. Constant memory. Not thread-safe.
/// </summary>
public sealed class RunningQuality
{
    private const int Bins = 4096;
    private const double Epsilon = 1e-15;

    private readonly long[] positives = new long[Bins];
    private readonly long[] negatives = new long[Bins];
    private double logLoss;
    private double brier;
    private double scores;

    /// <summary>Outcomes.</summary>
    public long Count { get; private set; }

    /// <summary>Outcomes whose label is 1.</summary>
    public long Positives { get; private set; }

    public double MeanScore => scores / Count;

    public double PositiveRate => (double)Positives / Count;

    /// <summary>Mean of -ln(p of what happened), in nats; NaN without outcomes.</summary>
    public double LogLoss => logLoss / Count;

    /// <summary>Mean squared distance of score and label.</summary>
    public double Brier => brier / Count;

    /// <summary>Chance that a positive scores higher than a negative; NaN until both have been seen.</summary>
    public double RocAuc
    {
        get
        {
            double below = 0, wins = 0;
            for (var bin = 0; bin < Bins; bin++)
            {
                wins += positives[bin] * (below + (negatives[bin] * 0.5));
                below += negatives[bin];
            }

            return wins / ((double)Positives * (Count - Positives));
        }
    }

    /// <param name="score">A probability.</param>
    /// <param name="isPositive">What happened.</param>
    /// <exception cref="ArgumentOutOfRangeException">The score is not between 0 and 1.</exception>
    public void Add(double score, bool isPositive)
    {
        if (score is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(score), score, "a score is a probability, 0 to 1");
        var p = Math.Clamp(isPositive ? score : 1 - score, Epsilon, 1);
        logLoss -= Math.Log(p);
        brier += (score - (isPositive ? 1 : 0)) * (score - (isPositive ? 1 : 0));
        scores += score;
        (isPositive ? positives : negatives)[Math.Min(Bins - 1, (int)(score * Bins))]++;
        Count++;
        Positives += isPositive ? 1 : 0;
    }
}
