using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>
/// Scores rows with a model; owns the room that it takes, so one thread at a time. Made by <see cref="ScoringModel.NewScorer"/>. Allocates nothing per row.
/// </summary>
public sealed class ModelScorer
{
    /// <summary>A few blocks of rows are encoded, then scored.</summary>
    private const int BatchRows = 64;

    private readonly PredictorRun run;
    private readonly EncodeScratch encode;
    private readonly float[] slots;
    private readonly double[] slotContributions;
    private float[]? batch;

    internal ModelScorer(ScoringModel model, PredictorRun run)
    {
        Model = model;
        this.run = run;
        encode = model.Pipeline.NewScratch();
        slots = new float[model.Slots.Count];
        slotContributions = new double[model.Slots.Count];
    }

    public ScoringModel Model { get; }

    /// <summary>The vector of the row that was scored or explained last.</summary>
    public ReadOnlySpan<float> Slots => slots;

    /// <summary>Scores a row: the probability of the positive class, one probability per class, or the estimate.</summary>
    /// <param name="row">Columns in the order of <see cref="ScoringModel.Inputs"/>; a null is a missing value.</param>
    /// <param name="scores">At least <see cref="ScoringModel.Outputs"/> long. NaN where a linear model's slot is missing.</param>
    public void Score(FeatureRow row, Span<double> scores)
    {
        RawScores(row, scores);
        Model.Finish(scores[..Model.Outputs]);
    }

    /// <summary>Scores a vector that the model's pipeline gave.</summary>
    public void ScoreSlots(ReadOnlySpan<float> vector, Span<double> scores)
    {
        RawScores(vector, scores);
        Model.Finish(scores[..Model.Outputs]);
    }

    /// <summary>Scores rows, each as <see cref="Score"/> does, to the bit.</summary>
    /// <param name="rows">Any number of rows.</param>
    /// <param name="scores">Row after row, <see cref="ScoringModel.Outputs"/> each.</param>
    public void ScoreBatch(ReadOnlySpan<FeatureRow> rows, Span<double> scores)
    {
        var outputs = Model.Outputs;
        Need(rows.Length * outputs, scores.Length, nameof(scores));
        batch ??= new float[BatchRows * slots.Length];
        for (var first = 0; first < rows.Length; first += BatchRows)
        {
            var count = Math.Min(BatchRows, rows.Length - first);
            for (var i = 0; i < count; i++)
                Model.Pipeline.Encode(rows[first + i], batch.AsSpan(i * slots.Length, slots.Length), encode);
            var own = scores.Slice(first * outputs, count * outputs);
            run.ScoreBatch(batch.AsSpan(0, count * slots.Length), count, own);
            for (var i = 0; i < count; i++)
                Model.Finish(own.Slice(i * outputs, outputs));
        }
    }

    /// <summary>The raw scores of a row, before link and calibration: log odds of a binary model.</summary>
    public void RawScores(FeatureRow row, Span<double> raw)
    {
        Model.Pipeline.Encode(row, slots, encode);
        RawScores(slots, raw);
    }

    /// <summary>The raw scores of a vector that the model's pipeline gave.</summary>
    public void RawScores(ReadOnlySpan<float> vector, Span<double> raw)
    {
        Need(Model.Outputs, raw.Length, nameof(raw));
        Need(slots.Length, vector.Length, nameof(vector));
        run.Score(vector, raw[..Model.Outputs]);
    }

    /// <summary>
    /// Explains a row's <b>raw</b> score (of a binary model: log odds before calibration, which only moves it): the answer plus the contributions is the raw score, to
    /// 1e-6 of it. Trees: path-dependent TreeSHAP (S. Lundberg et al. 2018, arXiv:1802.03888); linear functions: weight * (value - mean); ensembles: the weighted sum of their members'.
    /// </summary>
    /// <param name="row">As in <see cref="Score"/>.</param>
    /// <param name="contributions">One per input: a slot's contribution is shared equally by the inputs that it is computed from.</param>
    /// <param name="output">The class of a multiclass model; 0 otherwise.</param>
    /// <returns>The base value: the raw score that is expected of a training row.</returns>
    /// <exception cref="ModelException">The model lacks what explanations need; <see cref="ScoringModel.WhyUnexplained"/>.</exception>
    public double Explain(FeatureRow row, Span<double> contributions, int output = 0)
    {
        Need(Model.Inputs.Count, contributions.Length, nameof(contributions));
        Model.Pipeline.Encode(row, slots, encode);
        var expected = ExplainSlots(slots, slotContributions, output);
        Model.Fold(slotContributions, contributions);
        return expected;
    }

    /// <summary>As <see cref="Explain"/>, of a vector and with one contribution per slot.</summary>
    public double ExplainSlots(ReadOnlySpan<float> vector, Span<double> contributions, int output = 0)
    {
        if (Model.WhyUnexplained is { } why)
            throw new ModelException($"the model cannot explain its scores: {why}");
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(output, Model.Outputs);
        Need(slots.Length, contributions.Length, nameof(contributions));
        Need(slots.Length, vector.Length, nameof(vector));
        contributions[..slots.Length].Clear();
        return run.Explain(vector, output, 1, contributions);
    }

    /// <summary>Folds contributions of slots into those of inputs: a slot's is shared equally by the inputs that it is computed from.</summary>
    public void FoldByInput(ReadOnlySpan<double> ofSlots, Span<double> ofInputs) => Model.Fold(ofSlots, ofInputs);

    private static void Need(int needed, int length, string what)
    {
        if (length < needed)
            throw new ArgumentException($"there is room for {length} values and {needed} are needed", what);
    }
}
