using StreamMl.ModelEngine.Scoring;
using StreamMl.Training.Trainers;

namespace StreamMl.Training.Ensembles;

/// <summary>What training made, before calibration.</summary>
/// <param name="Description">What it is, for people.</param>
/// <param name="Gain">Gain by slot, not normalized; of an ensemble the members' sum, each normalized.</param>
/// <param name="Single">The one ML.NET model that it came from; null of an ensemble.</param>
internal sealed record FittedPredictor(Predictor Predictor, ModelLink Link, string Description, IReadOnlyList<double> Gain, TrainedModel? Single)
{
    public static FittedPredictor Of(TrainedModel model, TrainerDefinition trainer) =>
        new(model.Extracted.Predictor, model.Extracted.Link, trainer.ToString(), model.Extracted.GainBySlot, model);
}
