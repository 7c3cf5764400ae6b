using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>One thread's scoring by one model, row by row. Not thread-safe.</summary>
/// <param name="model">The model.</param>
/// <param name="givenColumns">By input, where it stands among the given fields: see <see cref="LoadedModel.GivenColumns"/>.</param>
internal sealed class ModelSession(LoadedModel model, int[] givenColumns)
{
    private readonly IRowScorer scorer = model.Code.NewScorer();
    private readonly double[] scores = new double[model.Code.Width];

    public LoadedModel Model => model;

    /// <summary>The row that was scored last.</summary>
    public ScoredRow Row { get; } = new(model, givenColumns);

    /// <summary>Scores one request; returns why it was refused, or null.</summary>
    /// <param name="read">What was read from the store.</param>
    /// <param name="request">Its index.</param>
    /// <param name="given">What came with the event or the caller.</param>
    /// <param name="row">Its row.</param>
    public string? Run(ReadBatch read, int request, EventBatch given, int row)
    {
        if (!Row.Prepare(read, request, given, row))
            return Row.Refusal;
        scorer.Score(Row.Vector, scores);
        Row.Conclude(scores);
        return null;
    }

    public ModelExplanation? Explain() => scorer.Explain(Row.Vector, Verdict.Best(Row.Scores));
}
