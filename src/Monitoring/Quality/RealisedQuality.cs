using System.IO.Hashing;

namespace StreamMl.Monitoring.Quality;

/// <summary>How well one variant of a service predicts, by the labels that have arrived.</summary>
/// <param name="Variant">champion, challenger.</param>
/// <param name="Outcomes">Predictions whose label is known.</param>
/// <param name="Pending">Predictions that wait for theirs.</param>
/// <param name="RocAuc">NaN until a positive and a negative are known.</param>
/// <param name="LogLoss">In nats.</param>
/// <param name="MeanScore">Of the outcomes.</param>
/// <param name="PositiveRate">Of the outcomes.</param>
public sealed record QualitySnapshot(string Variant, long Outcomes, int Pending, double RocAuc, double LogLoss, double MeanScore, double PositiveRate);

/// <summary>Realised quality by variant. Thread-safe.</summary>
public sealed class RealisedQuality(int maxKeys = 1_000_000)
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, (OutcomeJoin Join, RunningQuality Quality)> variants = new(StringComparer.Ordinal);

    public IReadOnlyList<QualitySnapshot> Snapshot()
    {
        lock (gate)
        {
            return [.. variants.Select(v => new QualitySnapshot(
                v.Key, v.Value.Quality.Count, v.Value.Join.Pending, v.Value.Quality.RocAuc, v.Value.Quality.LogLoss, v.Value.Quality.MeanScore, v.Value.Quality.PositiveRate))];
        }
    }

    /// <param name="variant">Whose prediction it is.</param>
    /// <param name="key">What it is about.</param>
    /// <param name="score">A probability.</param>
    public void AddPrediction(string variant, ReadOnlySpan<byte> key, double score)
    {
        lock (gate)
        {
            if (!variants.TryGetValue(variant, out var entry))
                variants.Add(variant, entry = (new OutcomeJoin(maxKeys), new RunningQuality()));
            Count(entry.Quality, entry.Join.Prediction(XxHash128.HashToUInt128(key), score));
        }
    }

    /// <param name="key">What it is about.</param>
    /// <param name="label">What happened: 0 or 1.</param>
    public void AddLabel(ReadOnlySpan<byte> key, double label)
    {
        lock (gate)
        {
            foreach (var (join, quality) in variants.Values)
                Count(quality, join.Label(XxHash128.HashToUInt128(key), label));
        }
    }

    private static void Count(RunningQuality quality, Outcome? outcome)
    {
        if (outcome is { } o)
            quality.Add(o.Score, o.Label != 0);
    }
}
