using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Tests.Trees;
using StreamMl.ModelEngine.Trees;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Tests.Scoring;

public sealed class ModelScorerTests
{
    [Fact]
    public void Score_Binary_IsCalibratedSigmoidOfRaw()
    {
        var model = new ScoringModel(TestModels.Trees(ModelTask.Binary, calibration: new PriorShiftCalibrator(0.5, 0.1)));
        var scorer = model.NewScorer();
        double[] raw = [0], scores = [0];
        foreach (var vector in Vectors(20))
        {
            scorer.RawScores(TestModels.Row(vector), raw);
            scorer.Score(TestModels.Row(vector), scores);

            raw[0].ShouldBe(((TreePredictor)model.Document.Predictor).Functions[0].Evaluate(vector));
            scores[0].ShouldBe(new PriorShiftCalibrator(0.5, 0.1).Apply(1 / (1 + Math.Exp(-raw[0]))));
            model.Decide(scores).ShouldBe(scores[0] >= 0.5 ? 1 : 0);
        }
    }

    [Fact]
    public void Score_Multiclass_AddsUpToOneAndDecidesTheGreatest()
    {
        var model = new ScoringModel(TestModels.Trees(ModelTask.Multiclass));
        var scorer = model.NewScorer();
        var scores = new double[3];
        foreach (var vector in Vectors(20))
        {
            scorer.Score(TestModels.Row(vector), scores);

            scores.Sum().ShouldBe(1, 1e-12);
            scores[model.Decide(scores)].ShouldBe(scores.Max());
        }
    }

    [Fact]
    public void Score_ExtremeRawScores_StayProbabilities()
    {
        static LinearFunction Far(double bias) => new(bias, [], [], []);
        var softmax = new ScoringModel(TestModels.Of(ModelTask.Multiclass, new LinearPredictor([Far(2_000), Far(-2_000), Far(1_999)])));
        var rest = new ScoringModel(TestModels.Of(ModelTask.Multiclass, new LinearPredictor([Far(-2_000), Far(-2_000), Far(-2_000)])) with { Link = ModelLink.OneVersusRest });
        double[] scores = [0, 0, 0];

        softmax.NewScorer().Score(TestModels.Row(0, 0, 0, 0, 0), scores);
        scores.ShouldBe([1 / (1 + Math.Exp(-1)), 0, 1 - (1 / (1 + Math.Exp(-1)))], 1e-12);
        rest.NewScorer().Score(TestModels.Row(0, 0, 0, 0, 0), scores);
        scores.ShouldBe([1.0 / 3, 1.0 / 3, 1.0 / 3], 1e-12);
    }

    [Fact]
    public void Score_BlendAndStack_AreSumsOfMembersRawScores()
    {
        var random = new Random(4);
        Predictor[] members = [TestModels.Linear(), new TreePredictor(RandomTrees.Ensemble(random, 5, 9)), new TreePredictor(RandomTrees.Ensemble(random, 5, 9))];
        var blend = new BlendPredictor(members, [0.5, 0.25, 0.25]);
        var stack = new StackPredictor([blend, .. members], [new LinearFunction(0.5, [0, 1, 3], [2, -1, 0.25], [])]);
        foreach (var vector in Vectors(20).Select(v => v.Select(x => float.IsFinite(x) ? x : 0).ToArray()))
        {
            var of = members.Select(m => Raw(m, vector)).ToArray();
            var blended = (0.5 * of[0]) + (0.25 * of[1]) + (0.25 * of[2]);

            Raw(blend, vector).ShouldBe(blended, 1e-12);
            Raw(BlendPredictor.Mean(members), vector).ShouldBe(of.Average(), 1e-12);
            Raw(stack, vector).ShouldBe(0.5 + (2 * blended) - of[0] + (0.25 * of[2]), 1e-12);
        }
    }

    [Fact]
    public void ScoreBatch_ManyRows_EqualsRowByRow()
    {
        var scorer = new ScoringModel(TestModels.Trees(ModelTask.Multiclass)).NewScorer();
        FeatureRow[] rows = [.. Vectors(30).Select(v => TestModels.Row(v))];
        var (batch, one) = (new double[90], new double[3]);

        scorer.ScoreBatch(rows, batch);

        for (var i = 0; i < rows.Length; i++)
        {
            scorer.Score(rows[i], one);
            batch.AsSpan(i * 3, 3).SequenceEqual(one).ShouldBeTrue();
        }
    }

    [Fact]
    public void ScoreAndExplain_AnyRow_AllocateNothing()
    {
        var scorer = new ScoringModel(TestModels.Trees(ModelTask.Multiclass)).NewScorer();
        var (row, scores, contributions) = (TestModels.Row(Vectors(1)[0]), new double[3], new double[5]);
        scorer.Score(row, scores);
        scorer.Explain(row, contributions);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            scorer.Score(row, scores);
            scorer.Explain(row, contributions, i % 3);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Theory]
    [InlineData("trees")]
    [InlineData("linear")]
    [InlineData("blend")]
    [InlineData("stack")]
    public void Explain_AnyPredictor_AddsUpToTheRawScore(string kind)
    {
        var random = new Random(6);
        Predictor trees = new TreePredictor([.. Enumerable.Range(0, 3).Select(_ => RandomTrees.Ensemble(random, 6, 12))]);
        Predictor linear = TestModels.Linear(3);
        Predictor predictor = kind switch
        {
            "trees" => trees,
            "linear" => linear,
            "blend" => new BlendPredictor([trees, linear], [0.7, 0.3]),
            _ => new StackPredictor([trees, linear], [.. Enumerable.Range(0, 3).Select(k => new LinearFunction(0.1, [k, 3 + k], [1.5, -0.5], []))]),
        };
        var scorer = new ScoringModel(TestModels.Of(ModelTask.Multiclass, predictor)).NewScorer();
        var (raw, ofSlots, ofInputs) = (new double[3], new double[5], new double[5]);
        foreach (var vector in Vectors(20).Select(v => v.Select(x => float.IsFinite(x) ? x : 0).ToArray()))
        {
            scorer.RawScores(TestModels.Row(vector), raw);
            for (var k = 0; k < 3; k++)
            {
                (scorer.Explain(TestModels.Row(vector), ofInputs, k) + ofInputs.Sum()).ShouldBe(raw[k], 1e-9);
                (scorer.ExplainSlots(vector, ofSlots, k) + ofSlots.Sum()).ShouldBe(raw[k], 1e-9);
                // Slot e is computed from the inputs e and a.
                ofInputs[0].ShouldBe(ofSlots[0] + (ofSlots[4] / 2), 1e-12);
                ofInputs[4].ShouldBe(ofSlots[4] / 2, 1e-12);
            }
        }
    }

    [Fact]
    public void Explain_WithoutLeafWeights_SaysWhatIsMissing()
    {
        var tree = RandomTrees.Tree(new Random(1), 4) with { LeafWeights = [] };
        var model = new ScoringModel(TestModels.Of(ModelTask.Binary, new TreePredictor(new TreeEnsemble(0, 1, [tree]))));

        model.CanExplain.ShouldBeFalse();
        Should.Throw<ModelException>(() => model.NewScorer().Explain(TestModels.Row(0, 0, 0, 0, 0), new double[5])).Message.ShouldContain("no leaf weights");
    }

    [Fact]
    public void ExplanationBackground_TrainingRows_MakeTheBaseValueTheirMeanRawScore()
    {
        var random = new Random(8);
        Predictor bare = new BlendPredictor(
            [new TreePredictor(new TreeEnsemble(0.1, 1, [.. Enumerable.Range(0, 5).Select(_ => RandomTrees.Tree(random, 6) with { LeafWeights = [] })])), new LinearPredictor([new(1, [0, 3], [0.5, 2], [])])],
            [0.5, 0.5]);
        var background = new ExplanationBackground(bare, RandomTrees.Slots);
        float[][] rows = [.. Vectors(200).Select(v => v.Select(x => float.IsFinite(x) ? x : 0).ToArray())];
        foreach (var row in rows)
            background.Add(row);

        var scorer = new ScoringModel(TestModels.Of(ModelTask.Binary, background.Apply())).NewScorer();

        // The paths' shares are those of the rows, so the expectation over the tree is the mean over the rows.
        scorer.ExplainSlots(rows[0], new double[5]).ShouldBe(rows.Average(r => Raw(bare, r)), 1e-6);
    }

    private static double Raw(Predictor predictor, float[] vector)
    {
        double[] raw = [0];
        new ScoringModel(TestModels.Of(ModelTask.Binary, predictor)).NewScorer().RawScores(vector, raw);
        return raw[0];
    }

    private static float[][] Vectors(int count)
    {
        var random = new Random(42);
        return [.. Enumerable.Range(0, count).Select(_ => RandomTrees.Vector(random))];
    }
}
