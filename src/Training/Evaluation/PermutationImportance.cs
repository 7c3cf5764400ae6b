using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Scoring;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Training.Data;

namespace StreamMl.Training.Evaluation;

/// <summary>
/// How much worse a model gets when one input's values are dealt out anew among the rows (L. Breiman 2001): inputs, not slots, since that is what can be missing or wrong.
/// Decided by the seed. Pure.
/// </summary>
internal static class PermutationImportance
{
    /// <param name="rows">Rows of the test part; a sample of them is enough.</param>
    /// <returns>By input of the model, the fall of the main metric (a rise, where lower is better).</returns>
    public static double[] Of(ScoringModel model, TrainingSet set, int[] rows, double[] labels, TaskMetrics metrics, long seed)
    {
        var reader = new SetRowReader(set, model.Inputs);
        var cells = rows.Select(r => Copy(reader, r)).ToArray();
        var whole = metrics.Quality(Score(model, cells), labels);
        var importance = new double[model.Inputs.Count];
        for (var input = 0; input < importance.Length; input++)
        {
            var order = Shuffled(rows.Length, (long)SeededRandom.Mix((ulong)seed, (ulong)input));
            importance[input] = whole - metrics.Quality(ScoreShuffled(model, cells, input, order), labels);
        }

        return importance;
    }

    private static double[] ScoreShuffled(ScoringModel model, FeatureRow[] rows, int input, int[] order)
    {
        var isText = model.Inputs[input].Type == FieldType.String;
        var (lanes, valid) = (rows.Select(r => r.Lanes[input]).ToArray(), rows.Select(r => r.Valid[input]).ToArray());
        var texts = isText ? rows.Select((r, i) => valid[i] == 0 ? [] : r.Arena.Slice(lanes[i]).ToArray()).ToArray() : [];
        var ends = rows.Select(r => r.Arena.Length).ToArray();
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i].Valid[input] = valid[order[i]];
            rows[i].Lanes[input] = isText ? rows[i].Arena.Append(texts[order[i]]) : lanes[order[i]];
        }

        var scores = Score(model, rows);
        for (var i = 0; i < rows.Length; i++)
        {
            (rows[i].Lanes[input], rows[i].Valid[input]) = (lanes[i], valid[i]);
            rows[i].Arena.Truncate(ends[i]);
        }

        return scores;
    }

    private static double[] Score(ScoringModel model, FeatureRow[] rows)
    {
        const int Block = 256;
        var scores = new double[rows.Length * model.Outputs];
        Parallel.For(0, (rows.Length + Block - 1) / Block, b =>
        {
            var scorer = model.NewScorer();
            for (var i = b * Block; i < Math.Min(rows.Length, (b + 1) * Block); i++)
                scorer.Score(rows[i], scores.AsSpan(i * model.Outputs, model.Outputs));
        });
        return scores;
    }

    private static FeatureRow Copy(SetRowReader reader, int row)
    {
        reader.Read(row);
        var copy = new FeatureRow(reader.Row.Lanes.Length);
        reader.Row.Lanes.CopyTo(copy.Lanes, 0);
        reader.Row.Valid.CopyTo(copy.Valid, 0);
        copy.Arena.Append(reader.Row.Arena.Written);
        return copy;
    }

    private static int[] Shuffled(int count, long seed)
    {
        var random = new SeededRandom(seed);
        int[] order = [.. Enumerable.Range(0, count)];
        for (var i = count - 1; i > 0; i--)
        {
            var j = random.Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }
}
