using Microsoft.ML;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using StreamMl.ModelEngine;
using StreamMl.Training.Vectors;

namespace StreamMl.Training.Trainers;

/// <summary>ML.NET's trainers for what was declared. Pure.</summary>
/// <param name="threads">Threads of the tree trainers. Linear ones run on one: on several their result depends on who comes first.</param>
internal sealed class TrainerFactory(MLContext ml, ModelTask task, int seed, int threads, bool hasWeights)
{
    private const string Label = SlotDataView.Label;
    private const string Features = SlotDataView.Features;
    private readonly string? weight = hasWeights ? SlotDataView.Weight : null;

    public IEstimator<ITransformer> Create(TrainerDefinition d) => (d.Kind.Name, task) switch
    {
        ("lightgbm", ModelTask.Binary) => ml.BinaryClassification.Trainers.LightGbm(LightGbm(d, new LightGbmBinaryTrainer.Options())),
        ("lightgbm", ModelTask.Multiclass) => ml.MulticlassClassification.Trainers.LightGbm(LightGbm(d, new LightGbmMulticlassTrainer.Options { UseSoftmax = true })),
        ("lightgbm", _) => ml.Regression.Trainers.LightGbm(LightGbm(d, new LightGbmRegressionTrainer.Options())),
        ("fasttree", ModelTask.Binary) => ml.BinaryClassification.Trainers.FastTree(Boosted(d, new FastTreeBinaryTrainer.Options())),
        ("fasttree", ModelTask.Multiclass) => ml.MulticlassClassification.Trainers.OneVersusAll(ml.BinaryClassification.Trainers.FastTree(Boosted(d, new FastTreeBinaryTrainer.Options())), Label),
        ("fasttree", _) => ml.Regression.Trainers.FastTree(Boosted(d, new FastTreeRegressionTrainer.Options())),
        ("fastforest", ModelTask.Binary) => ml.BinaryClassification.Trainers.FastForest(Trees(d, new FastForestBinaryTrainer.Options())),
        ("fastforest", ModelTask.Multiclass) => ml.MulticlassClassification.Trainers.OneVersusAll(ml.BinaryClassification.Trainers.FastForest(Trees(d, new FastForestBinaryTrainer.Options())), Label),
        ("fastforest", _) => ml.Regression.Trainers.FastForest(Trees(d, new FastForestRegressionTrainer.Options())),
        ("sdca", ModelTask.Binary) => ml.BinaryClassification.Trainers.SdcaLogisticRegression(With(new SdcaLogisticRegressionBinaryTrainer.Options(), o => Sdca(d, o, weight))),
        ("sdca", ModelTask.Multiclass) => ml.MulticlassClassification.Trainers.SdcaMaximumEntropy(With(new SdcaMaximumEntropyMulticlassTrainer.Options(), o => Sdca(d, o, weight))),
        ("sdca", _) => ml.Regression.Trainers.Sdca(With(new SdcaRegressionTrainer.Options(), o => Sdca(d, o, weight))),
        ("lbfgs", ModelTask.Binary) => ml.BinaryClassification.Trainers.LbfgsLogisticRegression(Lbfgs(d, new LbfgsLogisticRegressionBinaryTrainer.Options(), weight)),
        ("lbfgs", ModelTask.Multiclass) => ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(Lbfgs(d, new LbfgsMaximumEntropyMulticlassTrainer.Options(), weight)),
        var other => throw new NotSupportedException($"no trainer for {other}"),
    };

    private TOptions LightGbm<TOptions, TOutput, TTransformer, TModel>(TrainerDefinition d, LightGbmTrainerBase<TOptions, TOutput, TTransformer, TModel>.OptionsBase options)
        where TOptions : LightGbmTrainerBase<TOptions, TOutput, TTransformer, TModel>.OptionsBase, new()
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class
    {
        options.LabelColumnName = Label;
        options.FeatureColumnName = Features;
        options.ExampleWeightColumnName = weight;
        options.NumberOfIterations = d.Whole("trees");
        options.NumberOfLeaves = d.Whole("leaves");
        options.MinimumExampleCountPerLeaf = d.Whole("minRowsPerLeaf");
        options.LearningRate = d["learningRate"];
        options.MaximumBinCountPerFeature = d.Whole("bins");
        options.EarlyStoppingRound = d.Whole("earlyStopping");
        options.NumberOfThreads = threads;
        options.Seed = seed;
        options.UseCategoricalSplit = true;
        options.HandleMissingValue = true;
        // Histograms by column are summed by one thread each, so the model depends neither on their number nor on which layout was faster in LightGBM's own trial.
        options.Deterministic = true;
        options.ForceColumnWise = true;
        options.Booster = new GradientBooster.Options
        {
            FeatureFraction = d["featureShare"],
            SubsampleFraction = d["rowShare"],
            SubsampleFrequency = d["rowShare"] < 1 ? 1 : 0,
            L1Regularization = d["l1"],
            L2Regularization = d["l2"],
            MaximumTreeDepth = d.Whole("maxDepth"),
        };
        return (TOptions)options;
    }

    private T Boosted<T>(TrainerDefinition d, T options)
        where T : BoostedTreeOptions
    {
        options.LearningRate = d["learningRate"];
        return Trees(d, options);
    }

    private T Trees<T>(TrainerDefinition d, T options)
        where T : TreeOptions
    {
        options.LabelColumnName = Label;
        options.FeatureColumnName = Features;
        options.ExampleWeightColumnName = weight;
        options.NumberOfTrees = d.Whole("trees");
        options.NumberOfLeaves = d.Whole("leaves");
        options.MinimumExampleCountPerLeaf = d.Whole("minRowsPerLeaf");
        options.MaximumBinCountPerFeature = d.Whole("bins");
        options.FeatureFraction = d["featureShare"];
        options.BaggingExampleFraction = d["rowShare"];
        options.BaggingSize = d["rowShare"] < 1 ? 1 : 0;
        options.NumberOfThreads = threads;
        options.Seed = seed;
        options.FeatureSelectionSeed = seed;
        return options;
    }

    private static T With<T>(T options, Action<T> set)
    {
        set(options);
        return options;
    }

    private static void Sdca<TOptions, TTransformer, TModel>(TrainerDefinition d, SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase options, string? weight)
        where TOptions : SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class
    {
        options.LabelColumnName = Label;
        options.FeatureColumnName = Features;
        options.ExampleWeightColumnName = weight;
        options.L1Regularization = (float)d["l1"];
        options.L2Regularization = (float)d["l2"];
        options.MaximumNumberOfIterations = d.Whole("iterations");
        options.NumberOfThreads = 1;
    }

    private static TOptions Lbfgs<TOptions, TTransformer, TModel>(TrainerDefinition d, LbfgsTrainerBase<TOptions, TTransformer, TModel>.OptionsBase options, string? weight)
        where TOptions : LbfgsTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class
    {
        options.LabelColumnName = Label;
        options.FeatureColumnName = Features;
        options.ExampleWeightColumnName = weight;
        options.L1Regularization = (float)d["l1"];
        options.L2Regularization = (float)d["l2"];
        options.MaximumNumberOfIterations = d.Whole("iterations");
        options.NumberOfThreads = 1;
        return (TOptions)options;
    }
}
