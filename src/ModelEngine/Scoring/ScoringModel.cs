using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>
/// A trained model, ready to score: pipeline, predictor, link, calibration. The same row gives the same bits in training, in batch and when served, whichever kernel
/// was chosen. Immutable and thread-safe; each thread takes a <see cref="ModelScorer"/>.
/// </summary>
public sealed class ScoringModel
{
    private readonly CompiledPredictor predictor;
    private readonly int[][] inputsOfSlot;

    /// <param name="document">The model.</param>
    /// <param name="kernels">How its trees are run; null: <see cref="KernelChoice.Default"/>.</param>
    /// <exception cref="ModelException">The document does not fit together.</exception>
    /// <exception cref="PipelineException">Its pipeline is not sound.</exception>
    public ScoringModel(ModelDocument document, KernelChoice? kernels = null)
    {
        ModelDocumentChecks.Check(document);
        Document = document;
        WhyUnexplained = document.Predictor.WhyUnexplained;
        Pipeline = new FittedPipeline(document.Pipeline);
        predictor = document.Predictor.Compile(Pipeline.Slots, kernels ?? KernelChoice.Default);
        var names = Pipeline.Inputs.Select((input, i) => (input.Name, i)).ToDictionary(p => p.Name, p => p.i, StringComparer.Ordinal);
        inputsOfSlot = [.. Pipeline.Slots.Select(slot => slot.Sources.Where(names.ContainsKey).Select(s => names[s]).Distinct().ToArray())];
    }

    /// <param name="utf8">The bytes of <c>model.json</c>.</param>
    /// <param name="source">Where it stands, for messages.</param>
    /// <param name="kernels">How its trees are run; null: <see cref="KernelChoice.Default"/>.</param>
    /// <exception cref="ModelException">The bytes are refused; the message names the value, the limit and the remedy.</exception>
    public static ScoringModel Load(ReadOnlySpan<byte> utf8, string source, KernelChoice? kernels = null)
    {
        var document = ModelDocument.Read(utf8, source);
        try
        {
            return new ScoringModel(document, kernels);
        }
        catch (Exception e) when (e is ModelException or PipelineException)
        {
            throw new ModelException($"{source}: {e.Message}");
        }
    }

    public ModelDocument Document { get; }

    public ModelTask Task => Document.Task;

    public FittedPipeline Pipeline { get; }

    /// <summary>A row's columns, in this order.</summary>
    public IReadOnlyList<ModelInput> Inputs => Pipeline.Inputs;

    /// <summary>The vector's slots.</summary>
    public IReadOnlyList<Slot> Slots => Pipeline.Slots;

    /// <summary>As in <see cref="ModelDocument.Classes"/>.</summary>
    public IReadOnlyList<string> Classes => Document.Classes;

    /// <summary>Scores per row, and raw scores: 1, or the number of classes of a multiclass model.</summary>
    public int Outputs => predictor.Outputs;

    /// <summary>A binary model's least score that is decided positive.</summary>
    public double DecisionThreshold => Document.DecisionThreshold;

    /// <summary>The kernels that run its tree ensembles, in order; empty of a linear model.</summary>
    public IReadOnlyList<KernelKind> Kernels => predictor.Kernels;

    /// <summary>Whether <see cref="ModelScorer.Explain"/> answers; <see cref="WhyUnexplained"/> says why not.</summary>
    public bool CanExplain => WhyUnexplained is null;

    /// <summary>What is missing for explanations; null if nothing is.</summary>
    public string? WhyUnexplained { get; }

    /// <summary>Room to score for one thread at a time; reuse it.</summary>
    public ModelScorer NewScorer() => new(this, predictor.NewRun());

    /// <summary>
    /// The class that the scores decide, as an index of <see cref="Classes"/>: binary by the threshold, multiclass the first of the greatest; -1 for a regression or where a
    /// score is NaN.
    /// </summary>
    public int Decide(ReadOnlySpan<double> scores)
    {
        if (Task == ModelTask.Regression || double.IsNaN(scores[0]))
            return -1;
        if (Task == ModelTask.Binary)
            return scores[0] >= DecisionThreshold ? 1 : 0;
        var best = 0;
        for (var k = 1; k < Outputs; k++)
        {
            if (double.IsNaN(scores[k]))
                return -1;
            if (scores[k] > scores[best])
                best = k;
        }

        return best;
    }

    /// <summary>Raw scores to scores in place: the link, then the calibration.</summary>
    internal void Finish(Span<double> scores)
    {
        Links.Apply(Document.Link, scores);
        Document.Calibration?.Apply(scores);
    }

    /// <summary>A slot's contribution belongs to the inputs that it is computed from, in equal parts.</summary>
    internal void Fold(ReadOnlySpan<double> slots, Span<double> inputs)
    {
        inputs[..Inputs.Count].Clear();
        for (var s = 0; s < inputsOfSlot.Length; s++)
        {
            foreach (var input in inputsOfSlot[s])
                inputs[input] += slots[s] / inputsOfSlot[s].Length;
        }
    }
}
