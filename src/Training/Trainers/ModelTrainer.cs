using Microsoft.ML;
using Microsoft.ML.Trainers.LightGbm;
using StreamMl.ModelEngine;
using StreamMl.Training.Extraction;
using StreamMl.Training.Vectors;

namespace StreamMl.Training.Trainers;

/// <summary>What training needs to know beside the rows.</summary>
/// <param name="Threads">At least 1. The same number, seed and rows give the same model.</param>
internal sealed record TrainingContext(ModelTask Task, int Classes, long Seed, int Threads)
{
    /// <summary>Cores - 1, at least 1: a training beside a live process must not starve it.</summary>
    public static int DefaultThreads => Math.Max(1, Environment.ProcessorCount - 1);
}

/// <summary>Trains one model by ML.NET. Pure but for the process's OpenMP setting.</summary>
internal static class ModelTrainer
{
    /// <param name="train">The training part's vectors.</param>
    /// <param name="validation">For early stopping; not read otherwise.</param>
    /// <param name="rows">Which of the training vectors; null: all. One may stand more than once.</param>
    /// <exception cref="TrainingException">The vectors do not fit the trainer, or it gave up.</exception>
    public static TrainedModel Train(TrainerDefinition trainer, SlotSource train, SlotSource validation, TrainingContext context, int[]? rows = null)
    {
        OpenMp.WaitPassively();
        var layout = trainer.Kind.IsLinear ? FeatureLayout.Plain(train.Slots) : FeatureLayout.Indicators(train.Slots);
        if (trainer.Kind.IsLinear)
            RequireNoMissing(train, trainer);
        var seed = (int)(context.Seed & int.MaxValue);
        var ml = new MLContext(seed);
        var estimator = new TrainerFactory(ml, context.Task, seed, context.Threads, train.HasWeights).Create(trainer);
        IDataView view = new SlotDataView(train, layout, context.Task, context.Classes, rows);
        // Linear trainers go over the rows many times, and would encode them each time.
        if (trainer.Kind.IsLinear)
            view = ml.Data.Cache(view);
        try
        {
            var transformer = Fit(estimator, view, trainer, () => new SlotDataView(validation, layout, context.Task, context.Classes));
            return new TrainedModel(ModelExtractor.Extract(ParametersOf(transformer), layout), layout, transformer, context.Task, context.Classes);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentOutOfRangeException && e.GetType().Namespace != typeof(TrainingException).Namespace)
        {
            throw new TrainingException($"{trainer} could not be trained on {view.GetRowCount()} rows of {train.Slots.Count} slots: {e.Message}");
        }
    }

    private static ITransformer Fit(IEstimator<ITransformer> estimator, IDataView view, TrainerDefinition trainer, Func<IDataView> validation) =>
        trainer.Kind.Find("earlyStopping") is null || trainer.Whole("earlyStopping") == 0
            ? estimator.Fit(view)
            : estimator switch
            {
                LightGbmBinaryTrainer t => t.Fit(view, validation()),
                LightGbmMulticlassTrainer t => t.Fit(view, validation()),
                LightGbmRegressionTrainer t => t.Fit(view, validation()),
                _ => estimator.Fit(view),
            };

    private static object ParametersOf(ITransformer transformer) =>
        transformer is IPredictionTransformer<object> { Model: { } model } ? model : throw new NotSupportedException($"{transformer.GetType().Name} has no model parameters");

    /// <summary>A linear function of a missing value is missing: training would take it for 0, and scoring must not.</summary>
    private static void RequireNoMissing(SlotSource train, TrainerDefinition trainer)
    {
        var read = train.Open();
        for (var i = 0; i < train.Count; i++)
        {
            var vector = read(i);
            for (var s = 0; s < vector.Length; s++)
            {
                if (!float.IsFinite(vector[s]))
                    throw new TrainingException($"slot '{train.Slots[s].Name}' is missing in training row {i}, and {trainer.Kind.Name} trains a linear model, which cannot have that: put a step {{ kind: impute, columns: [\"*\"] }} first, or take lightgbm");
            }
        }
    }
}
