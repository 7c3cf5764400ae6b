using StreamMl.ModelEngine.Scoring;
using StreamMl.Training.Vectors;

namespace StreamMl.Training.Evaluation;

/// <summary>Scores of rows by a finished model: the code that serves it. Pure.</summary>
internal static class ModelScores
{
    private const int BlockRows = 1024;

    /// <returns>Row after row, one per output.</returns>
    public static double[] Of(ScoringModel model, SlotSource source) => Each(model, source, static (scorer, vector, scores) => scorer.ScoreSlots(vector, scores));

    /// <summary>Raw scores, before link and calibration.</summary>
    public static double[] RawOf(ScoringModel model, SlotSource source) => Each(model, source, static (scorer, vector, scores) => scorer.RawScores(vector, scores));

    private static double[] Each(ScoringModel model, SlotSource source, ScoreVector score)
    {
        var width = model.Outputs;
        var scores = new double[source.Count * width];
        Parallel.For(0, (source.Count + BlockRows - 1) / BlockRows, b =>
        {
            var (read, scorer) = (source.Open(), model.NewScorer());
            for (var i = b * BlockRows; i < Math.Min(source.Count, (b + 1) * BlockRows); i++)
                score(scorer, read(i), scores.AsSpan(i * width, width));
        });
        return scores;
    }

    private delegate void ScoreVector(ModelScorer scorer, ReadOnlySpan<float> vector, Span<double> scores);
}
