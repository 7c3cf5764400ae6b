using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>One row by one model, from what was read and given for it to what it is scored. Reused from row to row; not thread-safe.</summary>
/// <param name="model">The model.</param>
/// <param name="givenColumns">By input, where it stands among the given fields: see <see cref="LoadedModel.GivenColumns"/>.</param>
internal sealed class ScoredRow(LoadedModel model, int[] givenColumns)
{
    private readonly double[] scores = new double[model.Code.Width];
    private readonly List<string> flags = [];

    /// <summary>What is scored, columns in the order of the model's inputs.</summary>
    public FeatureRow Vector { get; } = new(model.Inputs.Count);

    public ReadOnlySpan<double> Scores => scores;

    public IReadOnlyList<string> Flags => flags;

    /// <summary>The probability of the positive class, the estimate, or the greatest probability of a class.</summary>
    public double Score { get; private set; }

    /// <summary>The class that is decided; null for a regression, or where there is no score (NaN).</summary>
    public string? Decision { get; private set; }

    /// <summary>Why it has no score; null where it has one.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Puts the vector together and applies the policy; false where that refuses it.</summary>
    /// <param name="read">What was read from the store.</param>
    /// <param name="request">Its index.</param>
    /// <param name="given">What came with the event or the caller.</param>
    /// <param name="row">Its row.</param>
    public bool Prepare(ReadBatch read, int request, EventBatch given, int row)
    {
        flags.Clear();
        model.Fill(read.Row(request), given, row, givenColumns, Vector);
        Refusal = model.Policy.IsPlain ? null : model.Policy.Apply(read, request, Vector, flags);
        return Refusal is null;
    }

    /// <summary>Takes the scores of its vector.</summary>
    public void Conclude(ReadOnlySpan<double> ofVector)
    {
        ofVector.CopyTo(scores);
        (Score, Decision) = Verdict.Of(model.Code, model.Threshold, scores);
    }

    public void Refuse(string reason) => Refusal = reason;
}
