using CsCheck;
using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Steps;

namespace StreamMl.ModelEngine.Tests.Metrics;

public sealed class ProbabilityMetricsTests
{
    [Fact]
    public void LogLossAndBrier_ByHand_AreTheMeans()
    {
        ProbabilityMetrics.LogLoss([0.8, 0.4], [true, false]).ShouldBe(-(Math.Log(0.8) + Math.Log(0.6)) / 2, 1e-12);
        ProbabilityMetrics.Brier([0.8, 0.4], [true, false]).ShouldBe((0.04 + 0.16) / 2, 1e-12);
        ProbabilityMetrics.LogLoss([0], [true]).ShouldBe(-Math.Log(1e-15), 1e-9);
    }

    [Fact]
    public void CalibrationCurve_EqualWidth_IsTheBinsOfTheDefinition() => Gen.Select(ScoredRows.Any, Gen.Int[1, 12]).Sample((r, bins) =>
    {
        var curve = ProbabilityMetrics.CalibrationCurve(r.Scores, r.Labels, r.Weights, bins);
        var naive = Enumerable.Range(0, r.Count).Where(i => r.Weights[i] > 0).GroupBy(i => Math.Min(bins - 1, (int)(r.Scores[i] * bins))).OrderBy(g => g.Key).ToList();
        curve.Count.ShouldBe(naive.Count);
        foreach (var (bin, rows) in curve.Zip(naive))
        {
            var weight = rows.Sum(i => r.Weights[i]);
            bin.Weight.ShouldBe(weight, 1e-12);
            bin.MeanScore.ShouldBe(rows.Sum(i => r.Weights[i] * r.Scores[i]) / weight, 1e-12);
            bin.Rate.ShouldBe(rows.Where(i => r.Labels[i]).Sum(i => r.Weights[i]) / weight, 1e-12);
            bin.Low.ShouldBe((double)rows.Key / bins, 1e-12);
        }
    });

    [Fact]
    public void CalibrationCurve_EqualMass_PartsNoTiesAndLosesNoRow() => ScoredRows.Any.Sample(r =>
    {
        var curve = ProbabilityMetrics.CalibrationCurve(r.Scores, r.Labels, r.Weights, 4, BinKind.EqualMass);
        curve.Sum(b => b.Weight).ShouldBe(r.Weights.Sum(), 1e-9);
        curve.Count.ShouldBeLessThanOrEqualTo(4);
        curve.Zip(curve.Skip(1)).ShouldAllBe(p => p.First.High < p.Second.Low);
    });

    [Fact]
    public void CalibrationCurve_EqualMassDistinctScores_BinsAreEqual()
    {
        double[] scores = [.. Enumerable.Range(0, 100).Select(i => i / 100.0)];
        ProbabilityMetrics.CalibrationCurve(scores, new bool[100], default, 10, BinKind.EqualMass).ShouldAllBe(b => b.Weight == 10);
    }

    [Fact]
    public void ExpectedCalibrationError_ByHand_IsTheWeightedGap() =>
        ProbabilityMetrics.ExpectedCalibrationError([0.1, 0.1, 0.9, 0.9], [false, true, true, true]).ShouldBe((0.4 + 0.1) / 2, 1e-12);

    [Fact]
    public void CalibrationCurve_Margins_AreRefused() =>
        Should.Throw<ArgumentException>(() => ProbabilityMetrics.CalibrationCurve([-3, 2], [true, false])).Message.ShouldStartWith("scores reach from -3 to 2");

    [Fact]
    public void Multiclass_TwoClasses_AreTheBinaryMetrics() => ScoredRows.Any.Sample(r =>
    {
        double[] scores = [.. r.Scores.SelectMany(s => new[] { 1 - s, s })];
        int[] labels = [.. r.Labels.Select(l => l ? 1 : 0)];
        MulticlassMetrics.MacroAuc(scores, labels, 2, r.Weights).ShouldBe(NaiveMetrics.RocAuc(r), 1e-12);
        // 1 - (1 - 1e-15) is not 1e-15: the clamped losses differ in the fourth digit.
        MulticlassMetrics.LogLoss(scores, labels, 2, r.Weights).ShouldBe(ProbabilityMetrics.LogLoss(r.Scores, r.Labels, r.Weights), 1e-2);
        var confusion = MulticlassMetrics.Confusion(scores, labels, 2, r.Weights);
        var matrix = ConfusionMatrix.At(0.5 + 1e-9, r.Scores, r.Labels, r.Weights);
        MulticlassMetrics.OneAgainstRest(confusion, 1).ShouldBe(matrix);
        MulticlassMetrics.Accuracy(confusion).ShouldBe(matrix.Accuracy, 1e-12);
    });

    [Fact]
    public void Multiclass_ByHand_MeansOverPresentClasses()
    {
        double[] scores = [0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.5, 0.4, 0.1];
        int[] labels = [0, 1, 1];
        var confusion = MulticlassMetrics.Confusion(scores, labels, 3);
        MulticlassMetrics.Accuracy(confusion).ShouldBe(2.0 / 3, 1e-12);
        MulticlassMetrics.MacroF1(confusion).ShouldBe(2.0 / 3, 1e-12);
        MulticlassMetrics.MacroAuc(scores, labels, 3).ShouldBe(1, 1e-12);
        // 3 positive and 6 negative pairs; of the positives, 0.4 lies below the negative 0.5.
        MulticlassMetrics.MicroAuc(scores, labels, 3).ShouldBe(17.0 / 18, 1e-12);
    }

    [Fact]
    public void Regression_ByHand_AreTheMeans()
    {
        double[] estimates = [1, 2, 4], labels = [2, 2, 0], weights = [1, 2, 1];
        RegressionMetrics.MeanAbsoluteError(estimates, labels, weights).ShouldBe(1.25, 1e-12);
        RegressionMetrics.RootMeanSquaredError(estimates, labels, weights).ShouldBe(Math.Sqrt(17 / 4.0), 1e-12);
        RegressionMetrics.Bias(estimates, labels, weights).ShouldBe(0.75, 1e-12);
        RegressionMetrics.RSquared(estimates, labels, weights).ShouldBe(1 - (4.25 / 0.75), 1e-12);
        RegressionMetrics.MeanAbsolutePercentageError(estimates, labels, weights).ShouldBe(0.5 / 3, 1e-12);
        RegressionMetrics.QuantileLoss(estimates, labels, 0.9, weights).ShouldBe((0.9 + 0.4) / 4, 1e-12);
        RegressionMetrics.RSquared([1, 2], [3, 3]).ShouldBe(double.NaN);
    }

    [Fact]
    public void QuantileLoss_OfAllConstants_IsLeastAtTheQuantile() => Gen.Int[0, 20].Array[5, 30].Sample(values =>
    {
        double[] labels = [.. values.Select(v => (double)v)];
        double Loss(double constant) => RegressionMetrics.QuantileLoss([.. labels.Select(_ => constant)], labels, 0.3);
        var best = labels.MinBy(Loss);
        labels.Count(l => l < best).ShouldBeLessThanOrEqualTo((int)Math.Ceiling(0.3 * labels.Length));
        labels.Count(l => l <= best).ShouldBeGreaterThanOrEqualTo((int)Math.Floor(0.3 * labels.Length));
    });

    [Fact]
    public void Evaluation_ThatKnowsNothing_IsNullNotNaN()
    {
        var evaluation = BinaryEvaluation.Of([0.2], [true]);
        evaluation.Auc.ShouldBeNull();
        evaluation.LogLoss.ShouldNotBeNull();
        PipelineJson.Read<BinaryEvaluation>(PipelineJson.Write(evaluation)).ShouldBe(evaluation);
        BinaryEvaluation.Of([], []).Brier.ShouldBeNull();
        RegressionEvaluation.Of([], []).MeanAbsoluteError.ShouldBeNull();
        MulticlassEvaluation.Of([], [], 3).Accuracy.ShouldBeNull();
    }

    [Fact]
    public void Slices_EachRow_IsInItsOwnAlone() => Gen.Select(ScoredRows.Any, Gen.Int[-1, 2].Array[40]).Sample((r, ids) =>
    {
        ids = ids[..r.Count];
        var slices = Slices.Binary(r.Scores, r.Labels, null, ids, ["a", "b", "c"], minRows: 2);
        foreach (var slice in slices)
        {
            int[] rows = [.. Enumerable.Range(0, r.Count).Where(i => ids[i] == slice.Slice[0] - 'a')];
            slice.Evaluation.ShouldBe(BinaryEvaluation.Of(Slices.Pick(r.Scores, rows), Slices.Pick(r.Labels, rows)));
            rows.Length.ShouldBeGreaterThanOrEqualTo(2);
        }
    }, iter: 100);
}
