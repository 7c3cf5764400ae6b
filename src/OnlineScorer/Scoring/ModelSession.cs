using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>One thread's scoring by one model: puts a vector together from what was read and what was given, applies the policy, scores. Not thread-safe.</summary>
/// <param name="model">The model.</param>
/// <param name="givenColumns">By input, where it stands among the given fields: see <see cref="LoadedModel.GivenColumns"/>.</param>
internal sealed class ModelSession(LoadedModel model, int[] givenColumns)
{
    private readonly IRowScorer scorer = model.Code.NewScorer();
    private readonly double[] scores = new double[model.Code.Width];
    private readonly List<string> flags = [];

    public LoadedModel Model => model;

    /// <summary>What was scored, columns in the order of the model's inputs; valid until the next row.</summary>
    public FeatureRow Vector { get; } = new(model.Inputs.Count);

    public ReadOnlySpan<double> Scores => scores;

    public IReadOnlyList<string> Flags => flags;

    /// <summary>The probability of the positive class, the estimate, or the greatest probability of a class.</summary>
    public double Score { get; private set; }

    /// <summary>The class that is decided; null for a regression, or where there is no score (NaN).</summary>
    public string? Decision { get; private set; }

    /// <summary>Scores one request; returns why it was refused, or null.</summary>
    /// <param name="read">What was read from the store.</param>
    /// <param name="request">Its index.</param>
    /// <param name="given">What came with the event or the caller.</param>
    /// <param name="row">Its row.</param>
    public string? Run(ReadBatch read, int request, EventBatch given, int row)
    {
        flags.Clear();
        model.Fill(read.Row(request), given, row, givenColumns, Vector);
        if (!model.Policy.IsPlain && model.Policy.Apply(read, request, Vector, flags) is { } refusal)
            return refusal;
        Conclude();
        return null;
    }

    public ModelExplanation? Explain() => scorer.Explain(Vector, Verdict.Best(scores));

    private void Conclude()
    {
        scorer.Score(Vector, scores);
        (Score, Decision) = Verdict.Of(model.Code, model.Threshold, scores);
    }
}
