using System.Globalization;
using System.IO.Hashing;
using System.Text;
using StreamMl.ModelEngine.Sampling;

namespace StreamMl.ModelEngine.Steps;

/// <summary>Makes the fitter of a declared step for the columns that it reads. Pure.</summary>
internal static class StepFitters
{
    /// <param name="columns">One column, or as many as the kind reads in order.</param>
    /// <param name="output">Name of the output.</param>
    public static StepFitter For(StepDefinition step, IReadOnlyList<PlanColumn> columns, string output, FitOptions options)
    {
        var read = new StepParameters(step);
        var column = columns[0].Name;
        string[] names = [.. columns.Select(c => c.Name)];
        return step.Kind switch
        {
            "impute" => Impute(read, columns[0], output, options),
            "one_hot" => new OneHotFitter(column, output, read.Integer("max"), read.Integer("min_count"), read.Flag("missing")),
            "categorical" when options.Task == ModelTask.Multiclass && read.Text("order") == "label" =>
                throw new PipelineException("order is label, and the label is a class", "Say order: frequency or name"),
            "categorical" => new CategoricalFitter(column, output, read.Integer("max"), read.Integer("min_count"), read.Text("order")),
            "hash" => new KnownStep(new HashStep(column, output, read.Integer("buckets"), read.Integer("seed"), read.Text("output") == "slots")),
            "target_encode" => new TargetEncodeFitter(
                column, output, options.Task == ModelTask.Multiclass ? options.Classes : 1, read.Integer("folds"), read.Number("smoothing"), read.Integer("max"), options.Seed),
            "discretize" => Discretize(read, column, output, options),
            "cross" when read.Text("method") == "dictionary" => new CrossDictionaryFitter(names, output, read.Integer("max"), read.Integer("min_count")),
            "cross" => new KnownStep(new CrossHashStep(names, output, read.Integer("buckets"), read.Integer("seed"))),
            "cyclic" when read.NumberOrNull("period") is { } period => new KnownStep(new CyclicNumberStep(column, output, period)),
            "cyclic" => new KnownStep(new CyclicTimeStep(column, output, Word<TimeCycle>(read.Text("part")), read.Integer("utc_offset_minutes"))),
            "time_part" when read.Text("part") is "difference" => new KnownStep(new TimeDifferenceStep(names, output)),
            "time_part" when read.Text("part") is "age" => new KnownStep(new TimeDifferenceStep([names[1], names[0]], output)),
            "time_part" => new KnownStep(new TimePartStep(column, output, Word<TimePart>(read.Text("part")), read.Integer("utc_offset_minutes"))),
            "standard" => new MomentsFitter(column, output, (mean, deviation) => new StandardStep(column, output, mean ?? 0, deviation > 0 ? deviation : 1)),
            "min_max" => new RangeFitter(column, output, (min, max) => new MinMaxStep(column, output, min, max, read.Number("low"), read.Number("high"), read.Flag("clip"))),
            "robust" => new QuantileFitter(column, output, SeedOf(column, options), sorted => SortedValues.Robust(sorted, column, output, read.Number("low"), read.Number("high"))),
            "log" => new KnownStep(new LogStep(column, output)),
            "clip" => Clip(read, column, output, options),
            "ratio" => new KnownStep(new RatioStep(names, output)),
            "difference" => new KnownStep(new DifferenceStep(names, output)),
            _ => throw new InvalidOperationException($"kind {step.Kind} is in the catalogue and has no fitter"),
        };
    }

    public static PipelineException NoValues(string column) =>
        new($"column `{column}` has no value in training to put in place of missing ones", "Say strategy: constant with a value, or exclude the column");

    private static StepFitter Impute(StepParameters read, PlanColumn column, string output, FitOptions options)
    {
        var name = column.Name;
        var indicator = read.Flag("indicator") ? $"{output}_missing" : null;
        var second = indicator is null ? null : new PlannedOutput(indicator);
        return read.Text("strategy") switch
        {
            "constant" => new KnownStep(new ImputeStep(name, output, Constant(read.Text("value"), column), indicator), column.Kind),
            "most_frequent" => new MostFrequentFitter(name, output, indicator, column.Kind),
            "mean" => new MomentsFitter(name, output, (mean, _) => new ImputeStep(name, output, NumberCategory.Text(mean ?? throw NoValues(name)), indicator)) { Second = second },
            _ => new QuantileFitter(
                name, output, SeedOf(name, options), sorted => new ImputeStep(name, output, NumberCategory.Text(SortedValues.Quantile(sorted, 0.5) ?? throw NoValues(name)), indicator))
            {
                Second = second,
            },
        };
    }

    private static string Constant(string text, PlanColumn column)
    {
        if (column.Kind == ColumnKind.Text)
            return text;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? NumberCategory.Text(value)
            : throw new PipelineException($"value is {text}, and column `{column.Name}` is a number", "Give a number, or name string columns in a step of their own");
    }

    private static StepFitter Discretize(StepParameters read, string column, string output, FitOptions options) => read.Text("method") switch
    {
        "bounds" => new KnownStep(new DiscretizeStep(column, output, read.Numbers("bounds"))),
        "uniform" => new RangeFitter(column, output, (least, greatest) => SortedValues.EqualWidth(least, greatest, column, output, read.Integer("bins"))),
        _ => new QuantileFitter(column, output, SeedOf(column, options), sorted => SortedValues.EqualMass(sorted, column, output, read.Integer("bins"))),
    };

    private static StepFitter Clip(StepParameters read, string column, string output, FitOptions options)
    {
        var (low, high) = (read.NumberOrNull("low_quantile"), read.NumberOrNull("high_quantile"));
        if (low is null && high is null)
            return new KnownStep(new ClipStep(column, output, read.NumberOrNull("low"), read.NumberOrNull("high")));
        return new QuantileFitter(column, output, SeedOf(column, options), sorted => new ClipStep(
            column, output, low is { } l ? SortedValues.Quantile(sorted, l) : read.NumberOrNull("low"), high is { } h ? SortedValues.Quantile(sorted, h) : read.NumberOrNull("high")));
    }

    // Its own random numbers for every column: a column more in the pipeline changes no other.
    private static long SeedOf(string column, FitOptions options) => (long)SeededRandom.Mix((ulong)options.Seed, XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(column)));

    private static T Word<T>(string word)
        where T : struct, Enum => Enum.Parse<T>(word.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
}
