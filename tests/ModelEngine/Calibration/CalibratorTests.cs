using CsCheck;
using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Metrics;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Steps;
using StreamMl.ModelEngine.Tests.Metrics;

namespace StreamMl.ModelEngine.Tests.Calibration;

public sealed class CalibratorTests
{
    private static readonly double[] Grid = [.. Enumerable.Range(-2, 105).Select(i => i / 100.0)];

    [Fact]
    public void Fitted_AnyRows_NeverDescendAndAreProbabilities() => ScoredRows.Any.Sample(r =>
    {
        foreach (Calibrator calibrator in new Calibrator[]
        {
            PlattCalibrator.Fit(r.Scores, r.Labels, r.Weights), PlattCalibrator.Fit(r.Scores, r.Labels, r.Weights, PlattScale.Probability), IsotonicCalibrator.Fit(r.Scores, r.Labels, r.Weights),
        })
        {
            double[] values = [.. Grid.Select(calibrator.Apply)];
            values.ShouldAllBe(v => v >= 0 && v <= 1);
            values.Zip(values.Skip(1)).ShouldAllBe(p => p.First <= p.Second);
            calibrator.Apply(double.NaN).ShouldBe(double.NaN);
        }
    });

    [Fact]
    public void Json_AnyCalibrator_ReadsBackTheSame() => ScoredRows.Any.Sample(r =>
    {
        Calibrator chain = new ChainCalibrator([new PriorShiftCalibrator(0.5, 0.2), PlattCalibrator.Fit(r.Scores, r.Labels), IsotonicCalibrator.Fit(r.Scores, r.Labels), new IdentityCalibrator()]);
        var bytes = PipelineJson.Write(chain);
        var read = PipelineJson.Read<Calibrator>(bytes);
        PipelineJson.Write(read).ShouldBe(bytes);
        Grid.ShouldAllBe(s => read.Apply(s) == chain.Apply(s));
    }, iter: 100);

    [Fact]
    public void Isotonic_AnyRows_IsNearestOfAllNonDescending() => ScoredRows.Any.Sample(r =>
    {
        var fitted = IsotonicCalibrator.Fit(r.Scores, r.Labels, r.Weights);
        foreach (var score in r.Scores.Where((_, i) => r.Weights[i] > 0).Distinct())
            fitted.Apply(score).ShouldBe(MinMax(r, score), 1e-9);
    });

    [Fact]
    public void Isotonic_BetweenPoints_IsAStraightLine()
    {
        var calibrator = new IsotonicCalibrator([0, 1, 3], [0, 0.5, 1]);
        new[] { -1, 0.5, 2, 9 }.Select(calibrator.Apply).ShouldBe([0, 0.25, 0.75, 1]);
    }

    [Fact]
    public void Platt_AnyRows_LeavesNoBetterNeighbour() => ScoredRows.Any.Sample(r =>
    {
        var fitted = PlattCalibrator.Fit(r.Scores, r.Labels, r.Weights);
        if (fitted.Slope == 0)
            return;
        var at = SmoothedLoss(r, fitted);
        foreach (var (slope, intercept) in new[] { (1e-3, 0.0), (-1e-3, 0), (0, 1e-3), (0, -1e-3) })
            SmoothedLoss(r, fitted with { Slope = fitted.Slope + slope, Intercept = fitted.Intercept + intercept }).ShouldBeGreaterThanOrEqualTo(at - 1e-9);
    });

    [Fact]
    public void Platt_OfCalibratedProbabilities_ChangesLittle()
    {
        var (scores, labels) = Drawn(20_000, p => p);
        var fitted = PlattCalibrator.Fit(scores, labels, scale: PlattScale.Probability);
        fitted.Slope.ShouldBe(1, 0.05);
        fitted.Intercept.ShouldBe(0, 0.05);
    }

    [Fact]
    public void Platt_ScoresTheWrongWay_GiveTheRate() =>
        PlattCalibrator.Fit([0.1, 0.2, 0.8, 0.9], [true, true, false, false]).ShouldSatisfyAllConditions(p => p.Slope.ShouldBe(0), p => p.Apply(0.3).ShouldBe(0.5, 1e-12));

    [Fact]
    public void Platt_SeparableAndExtreme_StaysFinite()
    {
        var fitted = PlattCalibrator.Fit([-1e6, -1e6, 1e6, 1e6], [false, false, true, true]);
        double.IsFinite(fitted.Slope).ShouldBeTrue();
        fitted.Apply(1e6).ShouldBe(0.75, 1e-6);
    }

    [Fact]
    public void Isotonic_CurvedProbabilities_AreMadeStraight()
    {
        var (scores, labels) = Drawn(20_000, p => p * p);
        var fitted = IsotonicCalibrator.Fit(scores.AsSpan()[..10_000], labels.AsSpan(0, 10_000));
        var rest = scores[10_000..];
        ProbabilityMetrics.ExpectedCalibrationError(rest, labels.AsSpan(10_000)).ShouldBeGreaterThan(0.1);
        fitted.Apply(rest.AsSpan());
        ProbabilityMetrics.ExpectedCalibrationError(rest, labels.AsSpan(10_000)).ShouldBeLessThan(0.02);
    }

    [Fact]
    public void PriorShift_AfterUnderSampling_IsCalibratedAgain()
    {
        // The true probability is p / 5; an exact model of the sampled rows says what the odds there are.
        var (scores, labels) = Drawn(50_000, p => p / 5);
        var sample = Resampling.UnderSample(labels, 0.5, 3);
        var keptNegatives = sample.Rows.Count(r => !labels[r]) / (double)labels.Count(l => !l);
        double[] model = [.. scores.Select(p => p / 5 / ((p / 5) + (keptNegatives * (1 - (p / 5)))))];
        ProbabilityMetrics.ExpectedCalibrationError(model, labels).ShouldBeGreaterThan(0.2);
        sample.Correction.Apply(model.AsSpan());
        ProbabilityMetrics.ExpectedCalibrationError(model, labels).ShouldBeLessThan(0.01);
    }

    [Fact]
    public void Fit_OneClass_SaysWhatToDo() => Should.Throw<ArgumentException>(() => PlattCalibrator.Fit([0.1], [true])).Message.ShouldContain("take a longer validation part");

    [Fact]
    public void Isotonic_PointsThatDescend_AreRefused() => Should.Throw<ArgumentException>(() => new IsotonicCalibrator([0, 1], [0.5, 0.4]));

    // The min-max formula of isotonic regression: max over a ≤ x of min over b ≥ x of the mean of [a, b].
    private static double MinMax(ScoredRows r, double score)
    {
        double Mean(double low, double high)
        {
            var rows = Enumerable.Range(0, r.Count).Where(i => r.Weights[i] > 0 && r.Scores[i] >= low && r.Scores[i] <= high).ToList();
            return rows.Where(i => r.Labels[i]).Sum(i => r.Weights[i]) / rows.Sum(i => r.Weights[i]);
        }

        var scores = r.Scores.Where((_, i) => r.Weights[i] > 0).Distinct().ToList();
        return scores.Where(a => a <= score).Max(a => scores.Where(b => b >= score).Min(b => Mean(a, b)));
    }

    private static double SmoothedLoss(ScoredRows r, PlattCalibrator platt)
    {
        var (high, low) = ((r.WeightOf(true) + 1) / (r.WeightOf(true) + 2), 1 / (r.WeightOf(false) + 2));
        return Enumerable.Range(0, r.Count).Sum(i =>
        {
            var (p, target) = (platt.Apply(r.Scores[i]), r.Labels[i] ? high : low);
            return -r.Weights[i] * ((target * Math.Log(p)) + ((1 - target) * Math.Log(1 - p)));
        });
    }

    private static (double[] Scores, bool[] Labels) Drawn(int rows, Func<double, double> truth)
    {
        var random = new SeededRandom(11);
        var (scores, labels) = (new double[rows], new bool[rows]);
        for (var i = 0; i < rows; i++)
        {
            scores[i] = random.NextDouble();
            labels[i] = random.NextDouble() < truth(scores[i]);
        }

        return (scores, labels);
    }
}
