using StreamMl.ModelEngine.Scoring;

namespace StreamMl.Training.Extraction;

/// <summary>What was taken out of a trained ML.NET model.</summary>
/// <param name="Predictor">From slots to raw scores. Explanations need <see cref="ExplanationBackground"/> on top.</param>
/// <param name="Link">From raw scores to the probabilities that ML.NET gives; <see cref="ModelLink.Identity"/> of a binary model that has none of its own.</param>
/// <param name="GainBySlot">Gain of all splits on each slot; of linear models the sum of the absolute weights. Not normalized.</param>
public sealed record ExtractedModel(Predictor Predictor, ModelLink Link, IReadOnlyList<double> GainBySlot);
