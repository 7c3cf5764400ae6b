using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Features;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>Scores trigger events by one model, many at once: that is faster, and gives each the bits that it gets alone. Not thread-safe.</summary>
/// <param name="model">The model.</param>
/// <param name="givenColumns">By input, where it stands among the event's fields: see <see cref="LoadedModel.GivenColumns"/>.</param>
internal sealed class EventScorer(LoadedModel model, int[] givenColumns)
{
    /// <summary>Events of one call: a few blocks of the kernels, whose vectors stay in the cache.</summary>
    public const int MaxEvents = 64;

    private readonly IRowScorer scorer = model.Code.NewScorer();
    private readonly ScoredRow[] rows = [.. Enumerable.Range(0, MaxEvents).Select(_ => new ScoredRow(model, givenColumns))];
    private readonly FeatureRow[] vectors = new FeatureRow[MaxEvents];
    private readonly ScoredRow[] prepared = new ScoredRow[MaxEvents];
    private readonly double[] scores = new double[MaxEvents * model.Code.Width];

    /// <summary>A row for each event that was scored last, in order: scored, or refused by the policy or because the model fails on it.</summary>
    public IReadOnlyList<ScoredRow> Rows => rows;

    /// <summary>Scores some events of a batch; <see cref="Rows"/> has the answers until the next call.</summary>
    /// <param name="batch">What was read.</param>
    /// <param name="requests">At most <see cref="MaxEvents"/> of its requests.</param>
    public void Score(ServedBatch batch, ReadOnlySpan<int> requests)
    {
        var count = 0;
        for (var i = 0; i < requests.Length; i++)
        {
            if (TryPrepare(rows[i], batch, requests[i]))
                (vectors[count], prepared[count++]) = (rows[i].Vector, rows[i]);
        }

        if (!TryScore(count))
        {
            // A model that fails on a row is bad data, not broken code: the other rows are scored.
            for (var i = 0; i < count; i++)
                ScoreAlone(prepared[i]);
        }
    }

    private bool TryPrepare(ScoredRow row, ServedBatch batch, int request)
    {
        try
        {
            return row.Prepare(batch.Read, request, batch.Events, batch.Triggers[request].Row);
        }
        catch (Exception e) when (IsOfData(e))
        {
            row.Refuse(Failed(e));
            return false;
        }
    }

    private bool TryScore(int count)
    {
        try
        {
            var width = model.Code.Width;
            scorer.ScoreBatch(vectors.AsSpan(0, count), scores.AsSpan(0, count * width));
            for (var i = 0; i < count; i++)
                prepared[i].Conclude(scores.AsSpan(i * width, width));
            return true;
        }
        catch (Exception e) when (IsOfData(e))
        {
            return false;
        }
    }

    private void ScoreAlone(ScoredRow row)
    {
        try
        {
            var own = scores.AsSpan(0, model.Code.Width);
            scorer.Score(row.Vector, own);
            row.Conclude(own);
        }
        catch (Exception e) when (IsOfData(e))
        {
            row.Refuse(Failed(e));
        }
    }

    private string Failed(Exception e) => $"{model.Version} failed: {e.Message}";

    private static bool IsOfData(Exception e) => e is ArithmeticException or ArgumentException or InvalidOperationException or IndexOutOfRangeException;
}
