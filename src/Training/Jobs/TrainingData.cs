using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Steps;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Splits;
using StreamMl.Training.Vectors;

namespace StreamMl.Training.Jobs;

/// <summary>A training set made ready: split, sampled, steps fitted on the training part alone, and each part's vectors. Immutable.</summary>
/// <param name="Correction">See <see cref="SampledRows"/>.</param>
internal sealed record TrainingData(
    TrainingSet Set, TrainConfig Config, LabelColumn Labels, DataSplit Split, FittedPipeline Pipeline, TrainingRows TrainRows, SlotSource Train, SlotSource Validation, SlotSource Test, Calibrator? Correction)
{
    /// <summary>Vectors of one part are kept in memory up to so many bytes; beyond that they are made anew each time.</summary>
    private const long KeptBytes = 1L << 30;

    public int Classes => Math.Max(2, Labels.Classes.Count);

    /// <exception cref="TrainingException">Configuration and set do not fit.</exception>
    /// <exception cref="PipelineException">The steps do not fit the inputs.</exception>
    public static TrainingData Prepare(TrainingSet set, TrainConfig config, string label, Action<string> progress)
    {
        var labels = LabelColumn.Read(set, label, config.Task);
        var inputs = ModelInputs.Of(set.Manifest, label, config.Request);
        var split = Splitter.Split(set, labels.Values, config.Split, config.Seed);
        RequireBothClasses(split, labels, config.Task);
        var sample = RowSampling.Choose(set, split.Train.Rows, labels, config);
        var rows = new TrainingRows(set, inputs, sample.Rows, labels.Values, sample.Weights);
        progress($"fitting the steps on {rows.Count:N0} rows");
        // The label is no input: to exclude it too is no mistake, when one configuration serves several labels.
        var pipeline = config.Pipeline with { Exclude = [.. config.Pipeline.Exclude.Where(e => e != label)] };
        var fitted = PipelineFitter.Fit(pipeline, rows, new FitOptions(config.Task, Math.Max(2, labels.Classes.Count), config.Seed));
        progress($"{fitted.Pipeline.Inputs.Count} inputs, {fitted.Pipeline.Slots.Count} slots");
        SlotSource Part(SplitPart part) => SlotSource.Encoded(fitted.Pipeline, set, part.Rows, labels.Values).Kept(KeptBytes);
        return new TrainingData(
            set, config, labels, split, fitted.Pipeline, rows, SlotSource.Training(fitted, rows).Kept(KeptBytes), Part(split.Validation), Part(split.Test), sample.Correction);
    }

    private static void RequireBothClasses(DataSplit split, LabelColumn labels, ModelTask task)
    {
        if (task != ModelTask.Binary)
            return;
        foreach (var part in split.Parts)
        {
            var positives = part.Rows.Count(r => labels.Values[r] == 1);
            if (positives == 0 || positives == part.Rows.Length)
                throw new TrainingException($"the {part.Name} part has {positives:N0} positive of {part.Rows.Length:N0} rows: both classes are needed in every part. Make it longer, or take another label");
        }
    }
}
