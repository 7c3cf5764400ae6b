using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Scoring;
using StreamMl.Training.Configuration;
using StreamMl.Training.Ensembles;
using StreamMl.Training.Evaluation;

namespace StreamMl.Training.Jobs;

/// <summary>From what was trained to the model that serves: explanations' background, calibration and threshold. Pure.</summary>
internal static class ModelAssembly
{
    private static readonly string[] BinaryClasses = ["false", "true"];

    /// <summary>The model without calibration; a forest's scores, which are no probabilities, stay what they are.</summary>
    public static ScoringModel Uncalibrated(TrainingData data, FittedPredictor fitted) => new(Document(data, fitted, NeedsCalibration(data, fitted) ? Held : null, 0.5));

    public static ScoringModel Finish(TrainingData data, FittedPredictor fitted)
    {
        var background = new ExplanationBackground(fitted.Predictor, data.Pipeline.Slots);
        var read = data.Train.Open();
        for (var i = 0; i < data.Train.Count; i++)
            background.Add(read(i), data.Train.Weight(i));
        var explained = fitted with { Predictor = background.Apply() };
        if (data.Config.Task != ModelTask.Binary)
            return new ScoringModel(Document(data, explained, null, 0.5));
        var labels = TaskMetrics.Bools(data.Validation.Labels());
        var scores = ModelScores.RawOf(new ScoringModel(Document(data, explained, NeedsCalibration(data, fitted) ? Held : null, 0.5)), data.Validation);
        if (fitted.Link == ModelLink.Sigmoid)
            scores = Array.ConvertAll(scores, s => 1 / (1 + Math.Exp(-s)));
        var calibrator = Calibrate(data, fitted, scores, labels);
        calibrator?.Apply(scores.AsSpan());
        var threshold = Thresholds.Cheapest(ScoreGroups.Of(scores, labels), data.Config.Evaluate.Cost).Threshold;
        return new ScoringModel(Document(data, explained, calibrator, Math.Clamp(threshold, 0, 1)));
    }

    // Stands in for a calibrator that is not fitted yet.
    private static Calibrator Held { get; } = new PlattCalibrator(1, 0, PlattScale.Score);

    private static bool NeedsCalibration(TrainingData data, FittedPredictor fitted) => data.Config.Task == ModelTask.Binary && fitted.Link == ModelLink.Identity;

    /// <summary>First the correction of a changed share of positives, then what is fitted on the validation part. A forest has no probabilities without: it gets Platt's.</summary>
    private static Calibrator? Calibrate(TrainingData data, FittedPredictor fitted, double[] scores, bool[] labels)
    {
        var correction = NeedsCalibration(data, fitted) ? null : data.Correction;
        double[] corrected = correction is null ? scores : Array.ConvertAll(scores, correction.Apply);
        var kind = data.Config.Calibrate == CalibrationKind.None && NeedsCalibration(data, fitted) ? CalibrationKind.Platt : data.Config.Calibrate;
        Calibrator? own = kind switch
        {
            CalibrationKind.Platt => PlattCalibrator.Fit(corrected, labels, scale: NeedsCalibration(data, fitted) ? PlattScale.Score : PlattScale.Probability),
            CalibrationKind.Isotonic => IsotonicCalibrator.Fit(corrected, labels),
            _ => null,
        };
        return (correction, own) switch
        {
            (null, _) => own,
            (_, null) => correction,
            _ => new ChainCalibrator([correction, own]),
        };
    }

    private static ModelDocument Document(TrainingData data, FittedPredictor fitted, Calibrator? calibrator, double threshold) => ModelDocument.Create(
        data.Config.Task, data.Pipeline.Document, fitted.Predictor, fitted.Link,
        data.Config.Task switch
        {
            ModelTask.Binary => BinaryClasses,
            ModelTask.Multiclass => data.Labels.Classes,
            _ => [],
        },
        threshold, calibrator);
}
