namespace StreamMl.Monitoring.Quality;

/// <summary>A prediction whose label has become known.</summary>
/// <param name="Score">What was predicted.</param>
/// <param name="Label">What happened; 0 or 1 for a binary model.</param>
public readonly record struct Outcome(double Score, double Label);

/// <summary>
/// Joins predictions with the labels that come later, by a key that both have. They come in any order, since they are two topics. The first label and the first
/// prediction of a key count, so what is read twice counts once. Bounded: beyond the limit the oldest key is let go, and counted where one half still waited.
/// Pure; not thread-safe.
/// </summary>
/// <param name="maxKeys">Keys that are remembered, complete or not; default 1,000,000.</param>
public sealed class OutcomeJoin(int maxKeys = 1_000_000)
{
    private readonly Dictionary<UInt128, Halves> halves = [];
    private readonly Queue<UInt128> order = new();

    /// <summary>Predictions that wait for their label.</summary>
    public int Pending { get; private set; }

    /// <summary>Predictions that were let go without a label.</summary>
    public long GivenUp { get; private set; }

    /// <summary>A prediction was seen; an outcome where its label was there already.</summary>
    public Outcome? Prediction(UInt128 key, double score)
    {
        var entry = Entry(key);
        if (entry.Score is not null)
            return null;
        entry.Score = score;
        Pending++;
        return Complete(entry);
    }

    /// <summary>A label was seen; an outcome where its prediction was there already.</summary>
    public Outcome? Label(UInt128 key, double label)
    {
        var entry = Entry(key);
        if (entry.Label is not null)
            return null;
        entry.Label = label;
        return Complete(entry);
    }

    private Outcome? Complete(Halves entry)
    {
        if (entry is not { Score: { } score, Label: { } label })
            return null;
        Pending--;
        return new Outcome(score, label);
    }

    private Halves Entry(UInt128 key)
    {
        if (halves.TryGetValue(key, out var entry))
            return entry;
        halves.Add(key, entry = new Halves());
        order.Enqueue(key);
        if (halves.Count > maxKeys && halves.Remove(order.Dequeue(), out var oldest) && oldest is { Score: not null, Label: null })
        {
            GivenUp++;
            Pending--;
        }

        return entry;
    }

    private sealed class Halves
    {
        public double? Score { get; set; }

        public double? Label { get; set; }
    }
}
