using StreamMl.ModelEngine.Steps;
using static StreamMl.ModelEngine.Tests.Steps.StepsLab;

namespace StreamMl.ModelEngine.Tests.Steps;

public sealed class StepErrorTests
{
    private static readonly ModelInput[] Inputs = [Number("distance"), Text("origin"), Time("at")];

    public static TheoryData<string, string[], string[], string> Mistakes => new()
    {
        { "one_hod", ["origin"], [], "step 1 one_hod: there is no kind of step `one_hod`. Did you mean `one_hot`?" },
        { "one_hot", ["origin"], ["max=0"], "step 1 one_hot: max is 0. It must be 1 to 10,000" },
        { "one_hot", ["origin"], ["maxx=3"], "step 1 one_hot: it has no parameter `maxx`. Did you mean `max`?" },
        { "one_hot", ["orgin"], [], "step 1 one_hot: there is no column `orgin`. Did you mean `origin`?" },
        { "one_hot", ["at"], [], "step 1 one_hot: column `at` is a timestamp. one_hot reads strings, and numbers that are named" },
        { "one_hot", [], [], "step 1 one_hot: it names 0 columns. Name at least one, or `*` for all" },
        { "standard", ["origin"], [], "step 1 standard: column `origin` is a string. standard reads numbers: encode a category first, take a part of a time first" },
        { "standard", ["o*"], [], "step 1 standard: none of the 1 columns that match `o*` can be read by it. standard reads numbers: encode a category first, take a part of a time first" },
        { "standard", ["q*"], [], "step 1 standard: no column matches `q*`. There are these columns: distance, origin, at" },
        { "ratio", ["distance"], [], "step 1 ratio: it names 1 columns. It reads 2, in order" },
        { "cross", ["origin", "d*"], [], "step 1 cross: `d*` is a pattern. It reads its columns in order: name them" },
        { "clip", ["distance"], [], "step 1 clip: it has no bound. Give it low, high, low_quantile or high_quantile" },
        { "clip", ["distance"], ["low=5", "high=2"], "step 1 clip: low is 5 and high is 2. low must be less than high" },
        { "cyclic", ["at"], [], "step 1 cyclic: it must have a period or a part. Give a number its period (period: 24), a time its part (part: hour_of_day)" },
        { "cyclic", ["distance"], ["period=0"], "step 1 cyclic: period is 0. It must be a number greater than 0, up to 1,000,000,000,000,000" },
        { "discretize", ["distance"], ["method=bounds", "bounds=3,2"], "step 1 discretize: bounds is 3,2. It must be ascending numbers with commas between them: 0,10,60" },
        { "discretize", ["distance"], ["method=bounds"], "step 1 discretize: method is bounds and it has no bounds. Bounds belong to method: bounds, and only there" },
        { "impute", ["distance"], ["strategy=constant"], "step 1 impute: strategy is constant and there is no value. Give it one: value: 0" },
        { "impute", ["distance"], ["strategy=constant", "value=none"], "step 1 impute: value is none, and column `distance` is a number. Give a number, or name string columns in a step of their own" },
        { "impute", ["distance"], ["strategy=middle"], "step 1 impute: strategy is middle. It must be one of mean, median, constant, most_frequent" },
        { "hash", ["origin"], ["buckets=5000", "output=slots"], "step 1 hash: buckets is 5000. As slots it must be 2 to 4,096" },
        { "time_part", ["at"], [], "step 1 time_part: it has no part. Say which: part: hour" },
        { "robust", ["distance"], ["low=0.9"], "step 1 robust: low is 0.9 and high is 0.75. low must be less than high" },
        { "log", ["distance"], ["keep=true"], "step 1 log: its output `distance` has the name of the column that it keeps. Give it another: name: \"{column}_2\"" },
        { "log", ["distance"], [], "column `origin` is a string and no step reads it. Encode it (categorical, one_hot, target_encode, hash), drop it, or exclude it" },
        { "categorical", ["origin"], [], "column `at` is a timestamp and no step reads it. Use it (cyclic, time_part), drop it, or exclude it" },
        { "drop", ["*"], [], "no column is left for the model. Include more inputs, or drop fewer" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Check_Mistake_NamesTheValueAndTheRemedy(string kind, string[] columns, string[] parameters, string expected)
    {
        var step = parameters.Select(p => p.Split('=')).Aggregate(new StepDefinition(kind, columns), (s, p) => s.With(p[0], p[1]));
        var definition = new PipelineDefinition(step);
        var finding = PipelineFitter.Check(definition, Inputs)[0];
        $"{finding.Message}. {finding.Remedy}".ShouldBe(expected);
        Should.Throw<PipelineException>(() => PipelineFitter.Fit(definition, new MemoryRows(Inputs, [[1, "a", DateTime.UnixEpoch]]), Binary)).Message.ShouldBe(expected);
    }

    [Fact]
    public void Fit_NoRows_SaysWhereToLook() => Fails([], []).ShouldBe("there are no rows to fit on. Look at the split: its training part is empty");

    [Fact]
    public void Fit_LabelThatIsNone_NamesTheRow() =>
        Fails([[1, "a", null], [2, "b", null]], [0, 2]).ShouldBe("the label of training row 1 is 2. A binary label is 0 or 1");

    [Fact]
    public void Fit_WeightThatIsNone_NamesTheRow()
    {
        var definition = new PipelineDefinition(["distance"], [], [new StepDefinition("standard", "distance")]);
        Should.Throw<PipelineException>(() => PipelineFitter.Fit(definition, new MemoryRows(Inputs, [[1, "a", null]], [0], [double.NaN]), Binary)).Message
            .ShouldBe("the weight of training row 0 is NaN. A weight is finite and not negative");
    }

    [Fact]
    public void Fit_NothingToImputeFrom_SaysSo()
    {
        var definition = new PipelineDefinition(["distance"], [], [new StepDefinition("impute", "*")]);
        Should.Throw<PipelineException>(() => PipelineFitter.Fit(definition, new MemoryRows(Inputs, [[null, "a", null]]), Binary)).Message
            .ShouldBe("step 1 impute: column `distance` has no value in training to put in place of missing ones. Say strategy: constant with a value, or exclude the column");
    }

    [Fact]
    public void Load_DamagedDocument_IsRefused()
    {
        var document = new PipelineDocument([Number("x")], [new StandardStep("y", "y", 0, 1)], [new Slot("y", ["x"], 0)]);
        Should.Throw<PipelineException>(() => new FittedPipeline(document)).Message.ShouldStartWith("the pipeline reads a column 'y' that is neither an input nor an output");
        Should.Throw<PipelineException>(() => new FittedPipeline(document with { Steps = [new CategoricalStep("x", "y", ["1", "1"])] })).Message.ShouldStartWith("category '1' of column 'x' is listed twice");
    }

    private static string Fails(object?[][] rows, double[] labels)
    {
        var definition = new PipelineDefinition(["distance"], [], [new StepDefinition("standard", "distance")]);
        return Should.Throw<PipelineException>(() => PipelineFitter.Fit(definition, new MemoryRows(Inputs, rows, labels), Binary)).Message;
    }
}
