using CsCheck;
using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Sampling;

namespace StreamMl.ModelEngine.Tests.Metrics;

public sealed class RankingMetricsTests
{
    [Fact]
    public void RocAuc_TiesAndWeights_IsTheShareOfPairsWon() => ScoredRows.Any.Sample(r =>
        RankingMetrics.RocAuc(r.Scores, r.Labels, r.Weights).ShouldBe(NaiveMetrics.RocAuc(r), 1e-12));

    [Fact]
    public void RocAuc_ScoresTurned_IsTheRest() => ScoredRows.Any.Sample(r =>
        (RankingMetrics.RocAuc(r.Scores, r.Labels, r.Weights) + RankingMetrics.RocAuc([.. r.Scores.Select(s => -s)], r.Labels, r.Weights)).ShouldBe(1, 1e-12));

    [Fact]
    public void AveragePrecision_TiesAndWeights_IsTheSumOverThresholds() => ScoredRows.Any.Sample(r =>
        RankingMetrics.AveragePrecision(r.Scores, r.Labels, r.Weights).ShouldBe(NaiveMetrics.AveragePrecision(r), 1e-12));

    [Fact]
    public void Metrics_WholeWeights_AreRepeatedRows() => ScoredRows.Any.Sample(r =>
    {
        int[] repeated = [.. Enumerable.Range(0, r.Count).SelectMany(i => Enumerable.Repeat(i, (int)r.Weights[i]))];
        var (scores, labels) = (Slices.Pick(r.Scores, repeated), Slices.Pick(r.Labels, repeated));
        RankingMetrics.RocAuc(r.Scores, r.Labels, r.Weights).ShouldBe(RankingMetrics.RocAuc(scores, labels), 1e-12);
        ProbabilityMetrics.LogLoss(r.Scores, r.Labels, r.Weights).ShouldBe(ProbabilityMetrics.LogLoss(scores, labels), 1e-9);
        ProbabilityMetrics.Brier(r.Scores, r.Labels, r.Weights).ShouldBe(ProbabilityMetrics.Brier(scores, labels), 1e-12);
        ProbabilityMetrics.ExpectedCalibrationError(r.Scores, r.Labels, r.Weights).ShouldBe(ProbabilityMetrics.ExpectedCalibrationError(scores, labels), 1e-12);
        Thresholds.Cheapest(ScoreGroups.Of(r.Scores, r.Labels, r.Weights), new CostMatrix()).Matrix
            .ShouldBe(Thresholds.Cheapest(ScoreGroups.Of(scores, labels), new CostMatrix()).Matrix);
    });

    [Fact]
    public void RocAuc_OneClass_IsNotANumber()
    {
        RankingMetrics.RocAuc([0.1, 0.2], [true, true]).ShouldBe(double.NaN);
        RankingMetrics.AveragePrecision([0.1, 0.2], [false, false]).ShouldBe(double.NaN);
        RankingMetrics.KolmogorovSmirnov(ScoreGroups.Of([0.1], [true])).ShouldBe(double.NaN);
    }

    [Fact]
    public void Curves_FirstAndLastPoints_AreTheCorners()
    {
        var groups = ScoreGroups.Of([0.9, 0.8, 0.8, 0.1], [true, false, true, false]);
        RankingMetrics.RocCurve(groups).Select(p => (p.X, p.Y)).ShouldBe([(0, 0), (0, 0.5), (0.5, 1), (1, 1)]);
        RankingMetrics.PrecisionRecallCurve(groups).Select(p => (p.X, p.Y)).ShouldBe([(0.5, 1), (1, 2.0 / 3), (1, 0.5)]);
        RankingMetrics.KolmogorovSmirnov(groups).ShouldBe(0.5);
    }

    [Fact]
    public void Lift_AnyRows_EndsAtOneAndFindsAll() => ScoredRows.Any.Sample(r =>
    {
        var lift = RankingMetrics.Lift(ScoreGroups.Of(r.Scores, r.Labels, r.Weights), 4);
        lift[^1].CumulativeLift.ShouldBe(1, 1e-12);
        lift[^1].CumulativeRecall.ShouldBe(1, 1e-12);
        lift.Average(b => b.Lift).ShouldBe(1, 1e-9);
    });

    [Fact]
    public void Lift_PerfectRanking_IsAllInTheFirstBin()
    {
        var lift = RankingMetrics.Lift(ScoreGroups.Of([9, 8, 7, 6], [true, false, false, false]), 4);
        lift.Select(b => b.Lift).ShouldBe([4, 0, 0, 0]);
    }

    [Fact]
    public void ScoreGroups_UnsoundRows_AreRefusedByRow()
    {
        Should.Throw<ArgumentException>(() => ScoreGroups.Of([0.1, double.NaN], [true, false])).Message.ShouldStartWith("the score of row 1 is NaN");
        Should.Throw<ArgumentException>(() => ScoreGroups.Of([0.1], [true, false])).Message.ShouldStartWith("there are 1 scores and 2 labels");
        Should.Throw<ArgumentException>(() => ScoreGroups.Of([0.1], [true], [-1])).Message.ShouldStartWith("the weight of row 0 is -1");
    }

    [Fact]
    public void Cheapest_AnyCosts_NoOtherThresholdIsCheaper() => Gen.Select(ScoredRows.Any, Gen.Double[0, 5], Gen.Double[0, 5]).Sample((r, falsePositive, falseNegative) =>
    {
        var costs = new CostMatrix(FalsePositive: falsePositive, FalseNegative: falseNegative);
        var best = Thresholds.Cheapest(ScoreGroups.Of(r.Scores, r.Labels, r.Weights), costs);
        var naive = r.Scores.Append(2).Min(t => costs.Of(ConfusionMatrix.At(t, r.Scores, r.Labels, r.Weights)));
        best.Value.ShouldBe(naive, 1e-12);
        costs.Of(ConfusionMatrix.At(best.Threshold, r.Scores, r.Labels, r.Weights)).ShouldBe(best.Value, 1e-12);
    });

    [Fact]
    public void GreatestF1_AnyRows_NoOtherThresholdIsGreater() => ScoredRows.Any.Sample(r =>
        Thresholds.GreatestF1(ScoreGroups.Of(r.Scores, r.Labels, r.Weights)).Value.ShouldBe(r.Scores.Max(t => ConfusionMatrix.At(t, r.Scores, r.Labels, r.Weights).F1), 1e-12));

    [Fact]
    public void OptimalThreshold_OfCosts_IsElkans()
    {
        new CostMatrix(FalsePositive: 1, FalseNegative: 4).OptimalThreshold.ShouldBe(0.2);
        new CostMatrix(FalsePositive: 0).OptimalThreshold.ShouldBe(double.NaN);
    }

    [Fact]
    public void DeLong_AnyRows_IsTheVarianceOfAllPairs() => ScoredRows.Unweighted.Where(r => r.WeightOf(true) > 1 && r.WeightOf(false) > 1).Sample(r =>
    {
        var interval = DeLong.Auc(r.Scores, r.Labels);
        interval.Value.ShouldBe(NaiveMetrics.RocAuc(r), 1e-12);
        var reach = 1.959963984540054 * Math.Sqrt(NaiveMetrics.DeLongVariance(r));
        interval.Low.ShouldBe(Math.Max(0, interval.Value - reach), 1e-9);
        interval.High.ShouldBe(Math.Min(1, interval.Value + reach), 1e-9);
    });

    [Fact]
    public void DeLong_ManyDraws_HoldsTheTruthAsOftenAsItSays()
    {
        // Positives N(1, 1), negatives N(0, 1): the AUC is Phi(1 / sqrt 2).
        var truth = Normal.Cdf(1 / Math.Sqrt(2));
        var random = new SeededRandom(5);
        var held = 0;
        for (var draw = 0; draw < 400; draw++)
        {
            bool[] labels = [.. Enumerable.Range(0, 200).Select(i => i % 3 == 0)];
            double[] scores = [.. labels.Select(l => Normal.Quantile(1e-9 + (0.999999998 * random.NextDouble())) + (l ? 1 : 0))];
            var interval = DeLong.Auc(scores, labels);
            held += interval.Low <= truth && truth <= interval.High ? 1 : 0;
        }

        held.ShouldBeInRange(365, 395);
    }

    [Fact]
    public void Compare_SameScores_IsNoDifference()
    {
        var comparison = DeLong.Compare([0.1, 0.4, 0.35, 0.8], [0.1, 0.4, 0.35, 0.8], [false, true, false, true]);
        comparison.Difference.Value.ShouldBe(0);
        comparison.PValue.ShouldBe(1);
    }

    [Fact]
    public void Bootstrap_OfTheMean_IsNearTheNormalInterval()
    {
        double[] values = [.. Enumerable.Range(0, 1_000).Select(i => SeededRandom.MixToUnit(3, (ulong)i))];
        double Mean(double[] weights) => values.Zip(weights, (v, w) => v * w).Sum() / weights.Sum();
        var interval = Bootstrap.Percentile(values.Length, Mean, replicates: 1_000, seed: 1);
        var reach = 1.96 * Math.Sqrt(1.0 / 12 / 1_000);
        interval.Value.ShouldBe(values.Average(), 1e-12);
        (interval.High - interval.Low).ShouldBe(2 * reach, 0.2 * 2 * reach);
        Bootstrap.Percentile(values.Length, Mean, replicates: 1_000, seed: 1).ShouldBe(interval);
    }

    [Fact]
    public void Bootstrap_RocAuc_IsThatOfTheMetric() => ScoredRows.Any.Sample(r =>
    {
        var sorted = Bootstrap.RocAuc(r.Scores, r.Labels, r.Weights, replicates: 20, seed: 4);
        var plain = Bootstrap.Percentile(r.Count, w => RankingMetrics.RocAuc(r.Scores, r.Labels, w), r.Weights, replicates: 20, seed: 4);
        sorted.Value.ShouldBe(NaiveMetrics.RocAuc(r), 1e-12);
        sorted.Low.ShouldBe(plain.Low, 1e-12);
        sorted.High.ShouldBe(plain.High, 1e-12);
    }, iter: 50);

    [Fact]
    public void Bootstrap_Clusters_AreDrawnWhole()
    {
        // Ten entities of a hundred equal rows each say as much as ten rows.
        int[] clusters = [.. Enumerable.Range(0, 1_000).Select(i => i / 100)];
        double[] values = [.. clusters.Select(c => (double)c)];
        double Mean(double[] weights) => values.Zip(weights, (v, w) => v * w).Sum() / weights.Sum();
        var (single, whole) = (Bootstrap.Percentile(1_000, Mean, seed: 2), Bootstrap.Percentile(1_000, Mean, clusters: clusters, seed: 2));
        (whole.High - whole.Low).ShouldBeGreaterThan(5 * (single.High - single.Low));
    }

    [Theory]
    [InlineData(0.0, 0.5)]
    [InlineData(1.959963984540054, 0.975)]
    [InlineData(-3.0, 0.0013498980316301)]
    [InlineData(6.0, 0.999999999013412)]
    public void Normal_KnownValues_BothWays(double x, double share)
    {
        Normal.Cdf(x).ShouldBe(share, 1e-14);
        Normal.Quantile(share).ShouldBe(x, 1e-4);
    }
}
