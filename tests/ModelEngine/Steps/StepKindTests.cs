using StreamMl.ModelEngine.Steps;
using static StreamMl.ModelEngine.Tests.Steps.StepsLab;

namespace StreamMl.ModelEngine.Tests.Steps;

/// <summary>Every kind by an example that can be worked out by hand.</summary>
public sealed class StepKindTests
{
    private static readonly ModelInput X = Number("x");
    private static readonly ModelInput S = Text("s");
    private static readonly ModelInput T = Time("t");

    [Theory]
    [InlineData("mean", 4f)]
    [InlineData("median", 2f)]
    [InlineData("most_frequent", 1f)]
    public void Impute_MissingNumber_IsTheStatistic(string strategy, float expected)
    {
        var step = new StepDefinition("impute", "x").With("strategy", strategy).With("indicator", "true");
        FitAndEncode(X, step, [1, 1, 2, 6, 10, null, double.NaN], null).ShouldBe([expected, 1f]);
        FitAndEncode(X, step, [1, 1, 2, 6, 10, null], 5).ShouldBe([5f, 0f]);
    }

    [Fact]
    public void Impute_MissingText_CountsAsTheValueInLaterSteps()
    {
        var pipeline = new PipelineDefinition(new StepDefinition("impute", "s").With("strategy", "constant").With("value", "b"), new StepDefinition("one_hot", "s"));
        var fitted = PipelineFitter.Fit(pipeline, Column(S, ["a", "b", null]), Binary).Pipeline;
        fitted.Slots.Select(s => s.Name).ShouldBe(["s=b", "s=a"]);
        Encode(fitted, Row((object?)null)).ShouldBe([1f, 0f]);
    }

    [Fact]
    public void OneHot_RareUnseenAndMissing_AreToldApart()
    {
        var step = new StepDefinition("one_hot", "s").With("max", "1").With("missing", "true");
        object?[] values = ["a", "a", "b", "c", null];
        FitAndEncode(S, step, values, "a").ShouldBe([1f, 0f, 0f]);
        FitAndEncode(S, step, values, "c").ShouldBe([0f, 1f, 0f]);
        FitAndEncode(S, step, values, "z").ShouldBe([0f, 0f, 0f]);
        FitAndEncode(S, step, values, null).ShouldBe([0f, 0f, 1f]);
    }

    [Fact]
    public void OneHot_OfANumber_TakesItsValuesAsCategories() =>
        FitAndEncode(X, new StepDefinition("one_hot", "x"), [1, 1, 2.5, -0.0], 0.0).ShouldBe([0f, 1f, 0f]);

    [Fact]
    public void Categorical_UnseenRareAndMissing_AreMissing()
    {
        var step = new StepDefinition("categorical", "s").With("min_count", "2");
        object?[] values = ["b", "b", "a", "a", "a", "c", null];
        FitAndEncode(S, step, values, "a").ShouldBe([0f]);
        FitAndEncode(S, step, values, "b").ShouldBe([1f]);
        FitAndEncode(S, step, values, "c").ShouldBe([float.NaN]);
        FitAndEncode(S, step, values, "z").ShouldBe([float.NaN]);
        FitAndEncode(S, step, values, null).ShouldBe([float.NaN]);
    }

    [Theory]
    [InlineData("name", 1f)]
    [InlineData("label", 0f)]
    [InlineData("frequency", 0f)]
    public void Categorical_Order_DecidesTheCodes(string order, float codeOfB) =>
        FitAndEncode(S, new StepDefinition("categorical", "s").With("order", order), ["b", "b", "a"], "b", [0, 0, 1]).ShouldBe([codeOfB]);

    [Fact]
    public void Hash_AnyText_HasOneBucketAlways()
    {
        var step = new StepDefinition("hash", "s").With("buckets", "8").With("output", "slots");
        var slots = FitAndEncode(S, step, ["a"], "never seen");
        slots.Length.ShouldBe(8);
        slots.Sum().ShouldBe(1f);
        FitAndEncode(S, step, ["a"], null).Sum().ShouldBe(0f);
    }

    [Fact]
    public void TargetEncode_Scoring_IsTheSmoothedMean()
    {
        var step = new StepDefinition("target_encode", "s").With("smoothing", "2");
        double[] labels = [1, 1, 0, 0];
        FitAndEncode(S, step, ["a", "a", "a", "b"], "a", labels)[0].ShouldBe((2 + (2 * 0.5f)) / 5);
        FitAndEncode(S, step, ["a", "a", "a", "b"], "z", labels).ShouldBe([0.5f]);
    }

    [Fact]
    public void Discretize_Bounds_CountThemselvesIn()
    {
        var step = new StepDefinition("discretize", "x").With("method", "bounds").With("bounds", "0, 10");
        new double?[] { -1, 0, 9.9, 10, 11, null }.Select(v => FitAndEncode(X, step, [1], v)[0]).ShouldBe([0f, 1f, 1f, 2f, 2f, float.NaN]);
    }

    [Fact]
    public void Discretize_Quantile_BinsHoldTheSameShare()
    {
        var step = new StepDefinition("discretize", "x").With("bins", "4");
        object?[] values = [.. Enumerable.Range(0, 100).Select(i => (object?)i)];
        values.GroupBy(v => FitAndEncode(X, step, values, v)[0]).ShouldAllBe(g => g.Count() == 25);
    }

    [Fact]
    public void Discretize_OneValueOnly_IsOneBin() => FitAndEncode(X, new StepDefinition("discretize", "x"), [5, 5, 5], 5).ShouldBe([0f]);

    [Fact]
    public void Cross_Dictionary_KnowsCombinationsNotParts()
    {
        var rows = new MemoryRows([S, X], [["a", 1], ["a", 1], ["b", 2]]);
        var fitted = PipelineFitter.Fit(new PipelineDefinition(new StepDefinition("cross", "s", "x").With("method", "dictionary"), new StepDefinition("drop", "x")), rows, Binary).Pipeline;
        fitted.Slots.Single().ShouldSatisfyAllConditions(s => s.Name.ShouldBe("s_x_x"), s => s.Cardinality.ShouldBe(2), s => s.Sources.ShouldBe(["s", "x"]));
        Encode(fitted, Row("a", 1)).ShouldBe([0f]);
        Encode(fitted, Row("b", 2)).ShouldBe([1f]);
        Encode(fitted, Row("a", 2)).ShouldBe([float.NaN]);
        Encode(fitted, Row("a", null)).ShouldBe([float.NaN]);
    }

    [Fact]
    public void Cyclic_Number_GoesRound()
    {
        var step = new StepDefinition("cyclic", "x").With("period", "24").With("keep", "false");
        var (a, b) = (FitAndEncode(X, step, [1], 6), FitAndEncode(X, step, [1], 30));
        a[0].ShouldBe(1f, 1e-6f);
        a[1].ShouldBe(0f, 1e-6f);
        b[0].ShouldBe(a[0], 1e-5f);
    }

    [Theory]
    [InlineData("hour_of_day", "2013-05-01T06:00:00Z", 0.25)]
    [InlineData("minute_of_hour", "2013-05-01T06:45:00Z", 0.75)]
    [InlineData("day_of_week", "2013-05-05T00:00:00Z", 0)]
    [InlineData("day_of_week", "2013-05-08T12:00:00Z", 0.5)]
    [InlineData("day_of_year", "2012-07-02T00:00:00Z", 0.5)]
    [InlineData("month", "2013-04-16T00:00:00Z", 3.5 / 12)]
    [InlineData("hour_of_day", "1969-12-31T18:00:00Z", 0.75)]
    public void Cyclic_Time_IsItsPlaceInTheCycle(string part, string time, double share)
    {
        var slots = FitAndEncode(T, new StepDefinition("cyclic", "t").With("part", part), [At(time)], At(time));
        slots[0].ShouldBe((float)Math.Sin(Math.Tau * share), 1e-6f);
        slots[1].ShouldBe((float)Math.Cos(Math.Tau * share), 1e-6f);
    }

    [Theory]
    [InlineData("hour", 0, 23f)]
    [InlineData("hour", 60, 0f)]
    [InlineData("minute", 0, 30f)]
    [InlineData("minute_of_day", 0, 1410f)]
    [InlineData("day_of_week", 0, 6f)]
    [InlineData("day_of_week", 60, 0f)]
    [InlineData("day", 0, 30f)]
    [InlineData("day_of_year", 0, 181f)]
    [InlineData("month", 1080, 7f)]
    [InlineData("year", 0, 2001f)]
    public void TimePart_WithOffset_IsTheClockOfThePlace(string part, int offset, float expected) =>
        FitAndEncode(T, new StepDefinition("time_part", "t").With("part", part).With("utc_offset_minutes", $"{offset}"), [null], At("2001-06-30T23:30:00Z")).ShouldBe([expected]);

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void TimePart_BeyondTheCalendar_IsMissing(long lane)
    {
        var rows = new MemoryRows([T], [[DateTime.UnixEpoch]]);
        var steps = new[] { "year", "hour" }.Select(p => new StepDefinition("time_part", "t").With("part", p)).Append(new StepDefinition("cyclic", "t").With("part", "month"));
        var fitted = PipelineFitter.Fit(new PipelineDefinition([.. steps]), rows, Binary).Pipeline;
        var row = Row((object?)null);
        row.Set(0, lane);
        Encode(fitted, row).ShouldAllBe(s => float.IsNaN(s));
    }

    [Fact]
    public void TimePart_AgeAndDifference_AreSeconds()
    {
        var rows = new MemoryRows([T, Time("now")], [[At("2013-01-01T00:00:00Z"), At("2013-01-01T00:01:30.5Z")]]);
        var definition = new PipelineDefinition(new StepDefinition("time_part", "t").With("part", "age").With("against", "now"), new StepDefinition("time_part", "t", "now").With("part", "difference"));
        var fitted = PipelineFitter.Fit(definition, rows, Binary).Pipeline;
        fitted.Slots.Select(s => s.Name).ShouldBe(["t_age", "t_minus_now"]);
        Encode(fitted, rows.Row(0)).ShouldBe([90.5f, -90.5f]);
        Encode(fitted, Row(null, At("2013-01-01T00:00:00Z"))).ShouldBe([float.NaN, float.NaN]);
    }

    [Fact]
    public void Standard_Weighted_IsThePopulationsOfTheWeights()
    {
        var rows = new MemoryRows([X], [[1], [2], [7], [null]], weights: [1, 3, 0, 5]);
        var step = (StandardStep)PipelineFitter.Fit(new PipelineDefinition(new StepDefinition("standard", "x")), rows, Binary).Pipeline.Document.Steps.Single();
        step.Mean.ShouldBe(1.75, 1e-12);
        step.Deviation.ShouldBe(Math.Sqrt(((0.75 * 0.75) + (3 * 0.25 * 0.25)) / 4), 1e-12);
    }

    [Fact]
    public void Standard_ConstantColumn_IsZero() => FitAndEncode(X, new StepDefinition("standard", "x"), [0.1, 0.1, 0.1], 0.1).ShouldBe([0f]);

    [Fact]
    public void MinMax_OutsideOfTraining_IsClippedWhereAsked()
    {
        var step = new StepDefinition("min_max", "x").With("low", "-1");
        FitAndEncode(X, step, [0, 10], 20).ShouldBe([3f]);
        FitAndEncode(X, step.With("clip", "true"), [0, 10], 20).ShouldBe([1f]);
        FitAndEncode(X, step, [3, 3], 3).ShouldBe([-1f]);
        FitAndEncode(X, step, [3, 4], null).ShouldBe([float.NaN]);
    }

    [Fact]
    public void Robust_Outlier_DoesNotMoveIt() => FitAndEncode(X, new StepDefinition("robust", "x"), [1, 2, 3, 4, 1e9], 4).ShouldBe([0.5f]);

    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(1e-18, 1e-18)]
    [InlineData(-99.0, -4.605170185988092)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity)]
    [InlineData(double.NaN, double.NaN)]
    public void Log_AnyNumber_KeepsItsSign(double value, double expected) => FitAndEncode(X, new StepDefinition("log", "x"), [1], value).ShouldBe([(float)expected]);

    [Fact]
    public void Clip_BoundAndQuantile_HoldBothEnds()
    {
        var step = new StepDefinition("clip", "x").With("low", "2").With("high_quantile", "0.5");
        new double?[] { 1, 5, 7, null }.Select(v => FitAndEncode(X, step, [0, 2, 6, 8, 100], v)[0]).ShouldBe([2f, 5f, 6f, float.NaN]);
    }

    [Fact]
    public void RatioAndDifference_ZeroAndMissing_AreMissing()
    {
        var rows = new MemoryRows([X, Number("y")], [[6, 3], [1, 0], [null, 2]]);
        var fitted = PipelineFitter.Fit(new PipelineDefinition(new StepDefinition("ratio", "x", "y"), new StepDefinition("difference", "x", "y")), rows, Binary).Pipeline;
        fitted.Slots.Select(s => s.Name).ShouldBe(["x", "y", "x_per_y", "x_minus_y"]);
        Encode(fitted, rows.Row(0))[2..].ShouldBe([2f, 3f]);
        Encode(fitted, rows.Row(1))[2..].ShouldBe([float.NaN, 1f]);
        Encode(fitted, rows.Row(2))[2..].ShouldBe([float.NaN, float.NaN]);
    }

    [Fact]
    public void Kinds_OfTheCatalogue_AreAllFittedAndReadBack()
    {
        foreach (var kind in StepCatalog.Kinds.Where(k => k.Name is not ("drop" or "cyclic" or "time_part")))
        {
            string[] columns = kind.Columns == StepColumns.Each ? ["x"] : ["x", "y"];
            var step = new StepDefinition(kind.Name, columns);
            if (kind.Name == "clip")
                step = step.With("low", "0");
            var fitted = PipelineFitter.Fit(new PipelineDefinition(step), new MemoryRows([X, Number("y")], [[1, 2], [3, 4]]), Binary).Pipeline;
            fitted.Slots.ShouldNotBeEmpty(kind.Name);
            var bytes = PipelineJson.Write(fitted.Document);
            PipelineJson.Write(PipelineJson.Read<PipelineDocument>(bytes)).ShouldBe(bytes, kind.Name);
        }
    }
}
