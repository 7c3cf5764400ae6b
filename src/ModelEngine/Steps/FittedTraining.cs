using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// What fitting gives: the pipeline, and the vectors of the training rows themselves, in which a target encoding of a row never saw that row's label.
/// Thread-safe; each thread brings its own scratch.
/// </summary>
public sealed class FittedTraining
{
    private readonly ITrainingRows rows;
    private readonly PipelineProgram training;

    internal FittedTraining(FittedPipeline pipeline, ITrainingRows rows, PipelineProgram training)
    {
        Pipeline = pipeline;
        this.rows = rows;
        this.training = training;
    }

    /// <summary>For every row that was not fitted on.</summary>
    public FittedPipeline Pipeline { get; }

    /// <summary>Room for <see cref="EncodeTraining"/>; another one than <see cref="FittedPipeline.NewScratch"/> gives.</summary>
    public EncodeScratch NewScratch() => training.NewScratch();

    /// <summary>Fills the slots of a row that was fitted on. Equal to <see cref="FittedPipeline.Encode"/> but for out-of-fold steps and what reads them.</summary>
    /// <param name="rowIndex">The row's place from 0 in the rows that were fitted on.</param>
    /// <param name="row">Columns in the order of those rows' <see cref="ITrainingRows.Inputs"/>, not of the pipeline's.</param>
    public void EncodeTraining(int rowIndex, FeatureRow row, Span<float> slots, EncodeScratch scratch)
    {
        scratch.FoldKey = rows.FoldKey(rowIndex);
        training.Run(row, slots, scratch);
    }
}
