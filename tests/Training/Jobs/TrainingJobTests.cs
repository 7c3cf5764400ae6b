using System.Text;
using StreamMl.Infrastructure.Models;
using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Scoring;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;
using StreamMl.Training.Jobs;
using StreamMl.Training.Tracking;

namespace StreamMl.Training.Tests.Jobs;

/// <summary>Whole trainings on a small set, one thread each.</summary>
public sealed class TrainingJobTests : IDisposable
{
    private readonly TrainLab lab = new();

    public void Dispose() => lab.Dispose();

    [Theory]
    [InlineData("binary", "hit", "auc", 0.75)]
    [InlineData("multiclass", "grade", "macroAuc", 0.8)]
    [InlineData("regression", "amount", "r2", 0.7)]
    public void Run_LightGbm_LearnsAndScoresAsMlNetDoes(string task, string label, string metric, double least)
    {
        var run = Run($"task: {task}\nlabel: {label}\nbaselines: [majority, rate by shop, last by shop]");
        run.MlNetDifference!.Value.ShouldBeLessThan(1e-5);
        Test(run, metric).ShouldBeGreaterThan(least);
        run.Metrics.Baselines.Count.ShouldBe(3);
        run.Model.CanExplain.ShouldBeTrue(run.Model.WhyUnexplained);
    }

    [Theory]
    [InlineData("binary", "hit", "fasttree")]
    [InlineData("multiclass", "grade", "fasttree")]
    [InlineData("regression", "amount", "fasttree")]
    [InlineData("binary", "hit", "fastforest")]
    [InlineData("multiclass", "grade", "fastforest")]
    [InlineData("regression", "amount", "fastforest")]
    public void Run_Trees_ScoreAsMlNetDoes(string task, string label, string kind) =>
        Run($"task: {task}\nlabel: {label}\ntrainer: {{ kind: {kind}, trees: 10, leaves: 7 }}").MlNetDifference!.Value.ShouldBeLessThan(1e-4);

    [Theory]
    [InlineData("binary", "hit", "sdca")]
    [InlineData("multiclass", "grade", "sdca")]
    [InlineData("regression", "amount", "sdca")]
    [InlineData("binary", "hit", "lbfgs")]
    [InlineData("multiclass", "grade", "lbfgs")]
    public void Run_Linear_ScoresAsMlNetDoes(string task, string label, string kind) =>
        Job().Run(lab.Open(), TrainLab.Linear($"task: {task}\nlabel: {label}\ntrainer: {kind}\n")).MlNetDifference!.Value.ShouldBeLessThan(1e-4);

    [Fact]
    public void Run_LinearOnMissingValues_SaysWhichSlotAndWhatToDo()
    {
        var error = Should.Throw<TrainingException>(() => Run("label: hit\ntrainer: sdca"));
        error.Message.ShouldContain("view.mean");
        error.Message.ShouldContain("impute");
    }

    [Fact]
    public void Run_Twice_GivesTheSameBytes() =>
        Run("label: hit\ncalibrate: isotonic").Model.Document.Write().ShouldBe(Run("label: hit\ncalibrate: isotonic").Model.Document.Write());

    [Theory]
    [InlineData("binary", "hit")]
    [InlineData("multiclass", "grade")]
    [InlineData("regression", "amount")]
    public void Run_LightGbmOnMoreThreads_GivesTheSameBytes(string task, string label)
    {
        var text = $"task: {task}\nlabel: {label}\nsampling: {{ kind: timeDecay, halfLife: 3d }}\ntrainer: {{ kind: lightgbm, trees: 20, leaves: 15, rowShare: 0.7, featureShare: 0.7 }}\n";
        Run(text + "threads: 1").Model.Document.Write().ShouldBe(Run(text + "threads: 4").Model.Document.Write());
    }

    [Theory]
    [InlineData("overSample", typeof(ChainCalibrator))]
    [InlineData("underSample", typeof(ChainCalibrator))]
    [InlineData("classWeights", typeof(ChainCalibrator))]
    public void Run_Imbalance_ProbabilitiesAreRightAgain(string kind, Type calibrator)
    {
        var run = Run($"label: hit\nimbalance: {{ kind: {kind}{(kind == "classWeights" ? "" : ", rate: 0.8")} }}\ncalibrate: platt");
        run.Model.Document.Calibration.ShouldBeOfType(calibrator);
        Math.Abs(Test(run, "meanScore") - Test(run, "rate")).ShouldBeLessThan(0.06);
    }

    [Theory]
    [InlineData("{ kind: bagging, members: 3 }", typeof(BlendPredictor))]
    [InlineData("{ kind: blend, trainers: [{ kind: lightgbm, trees: 10, leaves: 5 }, { kind: fasttree, trees: 10, leaves: 5 }] }", typeof(BlendPredictor))]
    [InlineData("{ kind: stack, trainers: [{ kind: lightgbm, trees: 10, leaves: 5 }, { kind: fastforest, trees: 10, leaves: 5 }] }", typeof(StackPredictor))]
    public void Run_Ensemble_IsOneModelThatExplains(string ensemble, Type predictor)
    {
        var run = Run($"label: hit\nensemble: {ensemble}");
        run.Model.Document.Predictor.ShouldBeOfType(predictor);
        run.Model.CanExplain.ShouldBeTrue(run.Model.WhyUnexplained);
        Test(run, "auc").ShouldBeGreaterThan(0.75);
    }

    [Theory]
    [InlineData("random")]
    [InlineData("halving")]
    [InlineData("tpe")]
    public void Run_Search_TrainsWithTheBestTrial(string method)
    {
        var run = Run($"label: hit\nsearch: {{ method: {method}, trials: 9, space: {{ leaves: [2, 7, 15], learningRate: {{ low: 0.01, high: 0.5, log: true }} }} }}");
        var best = StreamMl.Training.Search.ParameterSearch.Best(run.Trials);
        run.Parameters["trainer.leaves"].ShouldBe(best.Parameters["leaves"].ToString("R"));
        run.Metrics.Splits[1].Metrics["auc"].Value.ShouldBe(best.Quality, 1e-9);
        run.Trials.Count(t => t.Share == 1).ShouldBe(method == "halving" ? 1 : 9);
    }

    [Theory]
    [InlineData("{ kind: random, share: 0.5 }")]
    [InlineData("{ kind: stratified, share: 0.5 }")]
    [InlineData("{ kind: cluster, share: 0.5, by: [size] }")]
    [InlineData("{ kind: reservoir, size: 900 }")]
    [InlineData("{ kind: importance, share: 0.3, weight: size }")]
    [InlineData("{ kind: timeDecay, halfLife: 5d }")]
    public void Run_Sampled_StillLearnsAndTheTestIsWhole(string sampling)
    {
        var run = Run($"label: hit\nsampling: {sampling}");
        Test(run, "auc").ShouldBeGreaterThan(0.7);
        run.Metrics.Splits[^1].Rows.ShouldBe(Run("label: hit").Metrics.Splits[^1].Rows);
    }

    [Fact]
    public void Run_Importance_TheSignalMattersAndTheNoiseDoesNot()
    {
        var importance = Run("label: hit").Metrics.Importance.ToDictionary(i => i.Input, StringComparer.Ordinal);
        importance["shop"].Permutation!.Value.ShouldBeGreaterThan(0.05);
        importance["view.mean"].Permutation!.Value.ShouldBeGreaterThan(0.02);
        Math.Abs(importance["size"].Permutation!.Value).ShouldBeLessThan(0.03);
        importance.Values.Sum(i => i.Gain!.Value).ShouldBe(1, 1e-9);
    }

    [Fact]
    public async Task Tracked_Registered_GoldenRowsHoldAndTheSameTrainingIsTheSameVersion()
    {
        using var set = lab.Open();
        var options = new TrackedOptions { Directory = lab.Directory, Register = "hits", Alias = "champion", Repository = lab.Directory };
        var config = TrainLab.Config("label: hit\nevaluate: { slices: [shop], minSliceRows: 20, permutationRows: 100 }\ncard: { owner: The shops' own people }");
        var training = new TrackedTraining(TimeProvider.System, _ => { });
        var first = await training.RunAsync(set, config, options, default);
        var second = await training.RunAsync(set, config, options, default);
        second.Model.ShouldBe(first.Model);
        second.RunId.ShouldNotBe(first.RunId);

        var folder = ModelStore.In(lab.Directory, TimeProvider.System).Load(ModelReference.Parse("hits"), _ => "hash");
        folder.RequireGolden((batch, scores) => ScoreBatch(ScoringModel.Load(folder.Read(ModelFiles.Model), "model.json"), batch, scores));
        folder.Metrics()!.Slices.ShouldNotBeEmpty();
        folder.Has(ModelFiles.Report).ShouldBeTrue();
        var card = Encoding.UTF8.GetString(folder.Read(ModelFiles.Card));
        card.ShouldContain("The shops' own people");
        card.ShouldContain("# As run: seed 1, no variant");
        // What the card calls its run finds the run that made it.
        var runs = RunStore.In(lab.Directory, TimeProvider.System);
        card.ShouldContain($"| Run | {folder.Manifest.Lineage.RunId} |");
        runs.Load(folder.Manifest.Lineage.RunId!).Record.Id.ShouldBe(first.RunId);
        runs.Load(first.RunId).Record.Config.ShouldStartWith("# As run: seed 1, no variant\n");
        card.ShouldContain("**Missing: intendedUse**");
        var run = RunStore.In(lab.Directory, TimeProvider.System).Load(first.RunId);
        run.Record.Status.ShouldBe(RunStatus.Finished);
        run.Record.Model.ShouldBe(first.Model.ToString());
        run.Metrics["auc"].Value.ShouldBe(Test(first.Run, "auc"));
    }

    [Fact]
    public async Task Tracked_Failing_IsKeptAsFailed()
    {
        using var set = lab.Open();
        var training = new TrackedTraining(TimeProvider.System, _ => { });
        await Should.ThrowAsync<TrainingException>(() => training.RunAsync(set, TrainLab.Config("label: nothing"), new TrackedOptions { Directory = lab.Directory, Repository = lab.Directory }, default));
        RunStore.In(lab.Directory, TimeProvider.System).Runs().Single().Record.Status.ShouldBe(RunStatus.Failed);
    }

    private static void ScoreBatch(ScoringModel model, Shared.Events.EventBatch batch, Span<double> scores)
    {
        var (scorer, row) = (model.NewScorer(), new FeatureRow(model.Inputs.Count));
        for (var i = 0; i < batch.Count; i++)
        {
            row.Clear();
            row.Arena.Append(batch.Arena.Written);
            for (var c = 0; c < model.Inputs.Count; c++)
            {
                var column = batch.Column(model.Inputs[c].Name);
                if (column.Valid[i] != 0)
                    row.Set(c, column.Lanes[i]);
            }

            scorer.Score(row, scores[i..]);
        }
    }

    private static double Test(TrainedRun run, string metric) => run.Metrics.Splits[^1].Metrics[metric].Value;

    private TrainedRun Run(string yaml) => Job().Run(lab.Open(), TrainLab.Config(yaml));

    private static TrainingJob Job() => new(TimeProvider.System, _ => { });
}
