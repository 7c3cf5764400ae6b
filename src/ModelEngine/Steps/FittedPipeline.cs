using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// A fitted pipeline, compiled: it turns a row into a model's vector, in training, in batch and when serving with this same code. Immutable and thread-safe;
/// each thread brings its own <see cref="EncodeScratch"/>.
/// </summary>
public sealed class FittedPipeline
{
    private readonly PipelineProgram program;

    /// <exception cref="PipelineException">The document is not sound: a step reads a column that is not there, a parameter is out of range.</exception>
    public FittedPipeline(PipelineDocument document)
    {
        Document = document;
        program = PipelineProgram.Compile(document, document.Inputs, TrainingTables.None);
    }

    /// <summary>What is kept of it.</summary>
    public PipelineDocument Document { get; }

    /// <summary>The inputs that it reads: a row's columns are in this order.</summary>
    public IReadOnlyList<ModelInput> Inputs => Document.Inputs;

    /// <summary>The vector's slots.</summary>
    public IReadOnlyList<Slot> Slots => Document.Slots;

    public EncodeScratch NewScratch() => program.NewScratch();

    /// <summary>Fills <paramref name="slots"/> from the row. Allocates nothing.</summary>
    /// <param name="row">Columns in the order of <see cref="Inputs"/>; further columns are not looked at. A null is a missing value.</param>
    /// <param name="slots">At least as many as there are <see cref="Slots"/>. A missing value is NaN unless a step says otherwise.</param>
    public void Encode(FeatureRow row, Span<float> slots, EncodeScratch scratch) => program.Run(row, slots, scratch);
}
