using Microsoft.ML;
using Microsoft.ML.Trainers.LightGbm;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;
using StreamMl.Training.Extraction;

namespace StreamMl.Training.Tests.Extraction;

/// <summary>Extracted models score as ML.NET does: trees to the float, the mean of a forest and linear functions to a float's precision.</summary>
public sealed class ModelExtractorTests
{
    private const double LinearTolerance = 2e-5;
    private const double ProbabilityTolerance = 4e-6;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void LightGbm_Binary_ScoresAsMlNet(bool missing, bool categories)
    {
        var data = MlNetData.Make(3_000, 1, missing, categories);
        var trained = MlNetData.Context.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options { NumberOfIterations = 40, NumberOfLeaves = 31, MinimumExampleCountPerLeaf = 5, NumberOfThreads = 1, UseCategoricalSplit = categories })
            .Fit(data.View());

        var extracted = Check(data, trained, ModelTask.Binary, exact: true);

        extracted.Link.ShouldBe(ModelLink.Sigmoid);
        if (categories)
            ((TreePredictor)extracted.Predictor).Functions[0].Trees.SelectMany(t => t.Categories).ShouldNotBeEmpty();
        if (missing)
            ((TreePredictor)extracted.Predictor).Functions[0].Trees.SelectMany(t => t.MissingLeft.Where((_, n) => t.Categories.All(c => c.Node != n))).Distinct().Count().ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LightGbm_Multiclass_ScoresAsMlNet(bool softmax)
    {
        var data = MlNetData.Make(2_000, 2, missing: true, categories: true);
        var trained = MlNetData.Context.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options { LabelColumnName = "Class", NumberOfIterations = 20, NumberOfLeaves = 15, MinimumExampleCountPerLeaf = 5, NumberOfThreads = 1, UseSoftmax = softmax, UseCategoricalSplit = true })
            .Fit(data.View());

        Check(data, trained, ModelTask.Multiclass, exact: true).Link.ShouldBe(softmax ? ModelLink.Softmax : ModelLink.OneVersusRest);
    }

    [Fact]
    public void LightGbm_Dart_ScoresAsMlNet()
    {
        var data = MlNetData.Make(1_500, 9, missing: true, categories: false);
        var trained = MlNetData.Context.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options { NumberOfIterations = 20, NumberOfLeaves = 10, NumberOfThreads = 1, Booster = new DartBooster.Options() })
            .Fit(data.View());

        Check(data, trained, ModelTask.Binary, exact: true);
    }

    [Fact]
    public void FastTreeTweedie_WhoseScoreIsAnExponential_IsRefused()
    {
        var data = MlNetData.Make(500, 10, missing: false, categories: false);
        var trained = MlNetData.Context.Regression.Trainers.FastTreeTweedie(new() { LabelColumnName = "Value", NumberOfTrees = 2, NumberOfThreads = 1 }).Fit(data.View());

        Should.Throw<NotSupportedException>(() => ModelExtractor.Extract(trained.Model, data.Layout)).Message.ShouldContain("train with LightGBM");
    }

    [Fact]
    public void Explain_ExtractedLightGbm_AddsUpAndItsBaseIsTheMeanOfTheTrainingRows()
    {
        var data = MlNetData.Make(2_000, 11, missing: true, categories: true);
        var trained = MlNetData.Context.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options { NumberOfIterations = 60, NumberOfLeaves = 31, MinimumExampleCountPerLeaf = 5, NumberOfThreads = 1, UseCategoricalSplit = true })
            .Fit(data.View());
        var extracted = ModelExtractor.Extract(trained.Model, data.Layout);
        var background = new ExplanationBackground(extracted.Predictor, data.Slots);
        foreach (var vector in data.Vectors)
            background.Add(vector);
        var scorer = new ScoringModel(ModelDocument.Create(ModelTask.Binary, Pipeline(data), background.Apply(), extracted.Link, ["0", "1"])).NewScorer();
        var (raw, contributions, mean) = (new double[1], new double[data.Slots.Count], 0.0);
        foreach (var vector in data.Vectors)
        {
            scorer.RawScores(vector, raw);
            mean += raw[0] / data.Vectors.Length;
        }

        for (var r = 0; r < 50; r++)
        {
            var expected = scorer.ExplainSlots(data.Vectors[r], contributions);
            scorer.RawScores(data.Vectors[r], raw);

            expected.ShouldBe(mean, 1e-9);
            (expected + contributions.Sum()).ShouldBe(raw[0], 1e-6 * Math.Max(1, Math.Abs(raw[0])));
        }
    }

    [Fact]
    public void LightGbm_Regression_ScoresAsMlNet()
    {
        var data = MlNetData.Make(2_000, 3, missing: true, categories: true);
        var trained = MlNetData.Context.Regression.Trainers.LightGbm(new LightGbmRegressionTrainer.Options { LabelColumnName = "Value", NumberOfIterations = 30, NumberOfLeaves = 31, MinimumExampleCountPerLeaf = 5, NumberOfThreads = 1, UseCategoricalSplit = true })
            .Fit(data.View());

        Check(data, trained, ModelTask.Regression, exact: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FastTree_Binary_ScoresAsMlNet(bool missing)
    {
        var data = MlNetData.Make(2_000, 4, missing, categories: true);
        var trained = MlNetData.Context.BinaryClassification.Trainers.FastTree(new() { NumberOfTrees = 30, NumberOfLeaves = 20, NumberOfThreads = 1, CategoricalSplit = missing }).Fit(data.View());

        Check(data, trained, ModelTask.Binary, exact: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FastTree_Regression_ScoresAsMlNet(bool missing)
    {
        var data = MlNetData.Make(2_000, 5, missing, categories: true);
        var trained = MlNetData.Context.Regression.Trainers.FastTree(new() { LabelColumnName = "Value", NumberOfTrees = 30, NumberOfLeaves = 20, NumberOfThreads = 1 }).Fit(data.View());

        Check(data, trained, ModelTask.Regression, exact: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FastForest_BinaryAndRegression_ScoreAsMlNet(bool missing)
    {
        var data = MlNetData.Make(2_000, 6, missing, categories: true);
        var binary = MlNetData.Context.BinaryClassification.Trainers.FastForest(new() { NumberOfTrees = 25, NumberOfLeaves = 20, NumberOfThreads = 1 }).Fit(data.View());
        var regression = MlNetData.Context.Regression.Trainers.FastForest(new() { LabelColumnName = "Value", NumberOfTrees = 25, NumberOfLeaves = 20, NumberOfThreads = 1 }).Fit(data.View());

        Check(data, binary, ModelTask.Binary, exact: true).Link.ShouldBe(ModelLink.Identity);
        // ML.NET takes a forest's mean in floats.
        Check(data, regression, ModelTask.Regression, exact: false);
    }

    [Fact]
    public void Linear_BinaryMulticlassRegression_ScoreAsMlNet()
    {
        var data = MlNetData.Make(1_500, 7, missing: false, categories: false);
        var context = MlNetData.Context;

        Check(data, context.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(data.View()), ModelTask.Binary, exact: false).Link.ShouldBe(ModelLink.Sigmoid);
        Check(data, context.BinaryClassification.Trainers.SdcaLogisticRegression(new() { NumberOfThreads = 1, MaximumNumberOfIterations = 10 }).Fit(data.View()), ModelTask.Binary, exact: false);
        Check(data, context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class").Fit(data.View()), ModelTask.Multiclass, exact: false).Link.ShouldBe(ModelLink.Softmax);
        Check(data, context.MulticlassClassification.Trainers.SdcaMaximumEntropy(new() { LabelColumnName = "Class", NumberOfThreads = 1, MaximumNumberOfIterations = 10 }).Fit(data.View()), ModelTask.Multiclass, exact: false);
        Check(data, context.Regression.Trainers.Sdca(new() { LabelColumnName = "Value", NumberOfThreads = 1, MaximumNumberOfIterations = 10 }).Fit(data.View()), ModelTask.Regression, exact: false);
    }

    [Fact]
    public void Linear_OnIndicators_NamesTheRemedy()
    {
        var data = MlNetData.Make(300, 8, missing: false, categories: true);
        var trained = MlNetData.Context.BinaryClassification.Trainers.LbfgsLogisticRegression().Fit(data.View());

        Should.Throw<NotSupportedException>(() => ModelExtractor.Extract(trained.Model, data.Layout)).Message.ShouldContain("one_hot");
    }

    private static ExtractedModel Check<T>(MlNetData data, ISingleFeaturePredictionTransformer<T> trained, ModelTask task, bool exact)
        where T : class
    {
        var extracted = ModelExtractor.Extract(trained.Model, data.Layout);
        extracted.GainBySlot.Sum().ShouldBeGreaterThan(0);
        var model = new ScoringModel(ModelDocument.Create(
            task,
            Pipeline(data),
            extracted.Predictor,
            extracted.Link,
            task == ModelTask.Binary ? ["0", "1"] : task == ModelTask.Multiclass ? ["a", "b", "c"] : [],
            calibration: extracted.Link == ModelLink.Identity && task == ModelTask.Binary ? new ModelEngine.Calibration.PlattCalibrator(1, 0, ModelEngine.Calibration.PlattScale.Score) : null));
        var scorer = model.NewScorer();
        var transformed = trained.Transform(data.View());
        var scores = new double[model.Outputs];
        var raw = MlNetData.Read(transformed, "Score");
        var probabilities = extracted.Link == ModelLink.Sigmoid ? MlNetData.Read(transformed, "Probability") : raw;
        for (var r = 0; r < raw.Length; r++)
        {
            if (task != ModelTask.Multiclass)
            {
                scorer.RawScores(data.Vectors[r], scores);
                Compare((float)Unscaled(extracted, scores[0]), raw[r][0], exact ? 0 : LinearTolerance, r);
            }

            // ML.NET takes the sigmoid of the score rounded to a float, so probabilities agree to a few units in the last place.
            scorer.ScoreSlots(data.Vectors[r], scores);
            for (var k = 0; k < scores.Length && extracted.Link != ModelLink.Identity; k++)
                Compare((float)scores[k], probabilities[r][k], exact ? ProbabilityTolerance : LinearTolerance, r);
        }

        return extracted;
    }

    private static PipelineDocument Pipeline(MlNetData data) =>
        new([.. data.Slots.Select(s => new ModelInput(s.Name, Shared.Events.FieldType.Float64, InputOrigin.Stored))], [], data.Slots);

    private static double Unscaled(ExtractedModel extracted, double raw) =>
        extracted is { Link: ModelLink.Sigmoid, Predictor: TreePredictor { Functions: [var function] } } ? (raw - function.Bias) / function.Scale : raw;

    private static void Compare(float score, float wanted, double tolerance, int row)
    {
        if (!(Math.Abs(score - wanted) <= tolerance * Math.Max(tolerance == LinearTolerance ? 1 : 0, Math.Abs(wanted))))
            Assert.Fail($"row {row}: {score:R} instead of {wanted:R}");
    }
}
