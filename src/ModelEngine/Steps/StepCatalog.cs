using StreamMl.Shared.Definitions;

namespace StreamMl.ModelEngine.Steps;

/// <summary>The kinds of steps that there are, with their parameters, ranges and defaults. Pure; thread-safe.</summary>
public static class StepCatalog
{
    /// <summary>All kinds, in the order in which documentation lists them.</summary>
    public static IReadOnlyList<StepKind> Kinds { get; } =
    [
        new("impute", StepColumns.Each, "A value in place of a missing one.", "{column}",
        [
            StepParameter.Choice("strategy", "median", ["mean", "median", "constant", "most_frequent"], "Where the value comes from; strings: constant or most_frequent."),
            StepParameter.Text("value", null, "The value of strategy constant."),
            StepParameter.Flag("indicator", false, "Whether `{column}_missing` (0 or 1) is added."),
        ]),
        new("one_hot", StepColumns.Each, "A slot of 0 or 1 per category: the most frequent ones, one for all rare ones; an unseen category gives zero everywhere.", "{column}",
        [
            StepParameter.Integer("max", 100, 1, 10_000, "Categories with a slot of their own."),
            StepParameter.Integer("min_count", 1, 1, int.MaxValue, "Rows that a category needs for a slot of its own."),
            StepParameter.Flag("missing", false, "Whether missing values have a slot; otherwise they give zero everywhere."),
        ]),
        new("categorical", StepColumns.Each, "Whole codes for trees that split on sets of categories; unseen, rare and missing ones are missing.", "{column}_code",
        [
            StepParameter.Integer("max", 1_000, 1, 1_000_000, "Categories with a code, the most frequent."),
            StepParameter.Integer("min_count", 1, 1, int.MaxValue, "Rows that a category needs for a code."),
            StepParameter.Choice("order", "frequency", ["frequency", "name", "label"], "What the codes ascend by; label: the mean of the label."),
        ]),
        new("hash", StepColumns.Each, "A bucket per category by a seeded hash, for categories without end.", "{column}_hash",
        [
            StepParameter.Integer("buckets", 256, 2, 1 << 20, "Number of buckets; at most 4,096 as slots."),
            StepParameter.Integer("seed", 0, 0, int.MaxValue, "Seed of the hash."),
            StepParameter.Choice("output", "code", ["code", "slots"], "One categorical code, or one slot of 0 or 1 per bucket."),
        ]),
        new("target_encode", StepColumns.Each, "The smoothed mean of the label per category; of training rows, from the other folds.", "{column}_target",
        [
            StepParameter.Integer("folds", 5, 2, 100, "Folds of the training part."),
            StepParameter.Number("smoothing", 20, 0, 1e9, "Rows' weight with which the overall mean counts."),
            StepParameter.Integer("max", 100_000, 1, 1_000_000, "Categories with a value of their own, the most frequent."),
        ]),
        new("discretize", StepColumns.Each, "The bin's number, from 0.", "{column}",
        [
            StepParameter.Choice("method", "quantile", ["quantile", "uniform", "bounds"], "Bins of equal mass, of equal width, or given."),
            StepParameter.Integer("bins", 10, 2, 1_000, "Number of bins of the first two."),
            StepParameter.Numbers("bounds", "Ascending lower bounds of the bins from the second on; method bounds."),
        ]),
        new("cross", StepColumns.TwoOrThree, "Two or three categories as one.", "{1}_x_{2}",
        [
            StepParameter.Choice("method", "hash", ["hash", "dictionary"], "Buckets of a seeded hash, or the combinations that training saw."),
            StepParameter.Integer("buckets", 1_024, 2, 1 << 20, "Buckets of method hash."),
            StepParameter.Integer("seed", 0, 0, int.MaxValue, "Seed of method hash."),
            StepParameter.Integer("max", 1_000, 1, 1_000_000, "Combinations of method dictionary, the most frequent."),
            StepParameter.Integer("min_count", 1, 1, int.MaxValue, "Rows that a combination of method dictionary needs."),
        ]),
        new("cyclic", StepColumns.Each, "sin and cos of a number with a period, or of a time's place in a cycle.", "{column}",
        [
            StepParameter.Number("period", null, double.Epsilon, 1e15, "Period of a number."),
            StepParameter.Choice("part", null, ["minute_of_hour", "hour_of_day", "day_of_week", "day_of_year", "month"], "Cycle of a time."),
            StepParameter.Integer("utc_offset_minutes", 0, -1_080, 1_080, "Clock time of a place: minutes to add to UTC."),
        ]),
        new("time_part", StepColumns.Each, "A part of a time as a whole number, or seconds between two times.", "{column}_{part}",
        [
            StepParameter.Choice("part", null, ["hour", "minute", "minute_of_day", "day_of_week", "day", "day_of_year", "month", "year", "age", "difference"],
                "age: seconds from the column to `against`; difference: first column minus second."),
            StepParameter.Text("against", null, "The timestamp at which part age is taken."),
            StepParameter.Integer("utc_offset_minutes", 0, -1_080, 1_080, "Clock time of a place: minutes to add to UTC."),
        ]),
        new("standard", StepColumns.Each, "(x - mean) / deviation.", "{column}", []),
        new("min_max", StepColumns.Each, "What training saw, moved to a range.", "{column}",
        [
            StepParameter.Number("low", 0, -1e9, 1e9, "Lower end of the range."),
            StepParameter.Number("high", 1, -1e9, 1e9, "Upper end of the range."),
            StepParameter.Flag("clip", false, "Whether other values are held to the range."),
        ]),
        new("robust", StepColumns.Each, "(x - median) / range between two quantiles.", "{column}",
        [
            StepParameter.Number("low", 0.25, 0, 1, "Lower quantile."),
            StepParameter.Number("high", 0.75, 0, 1, "Upper quantile."),
        ]),
        new("log", StepColumns.Each, "sign(x) * ln(1 + |x|).", "{column}", []),
        new("clip", StepColumns.Each, "x held between two bounds.", "{column}",
        [
            StepParameter.Number("low", null, double.MinValue, double.MaxValue, "Lower bound."),
            StepParameter.Number("high", null, double.MinValue, double.MaxValue, "Upper bound."),
            StepParameter.Number("low_quantile", null, 0, 1, "Lower bound as a quantile of training."),
            StepParameter.Number("high_quantile", null, 0, 1, "Upper bound as a quantile of training."),
        ]),
        new("ratio", StepColumns.Two, "First column divided by the second.", "{1}_per_{2}", []),
        new("difference", StepColumns.Two, "First column minus the second.", "{1}_minus_{2}", []),
        new("drop", StepColumns.Each, "Takes columns away.", "{column}", []),
    ];

    /// <summary>The kind of that name, or null.</summary>
    public static StepKind? Find(string name) => Kinds.FirstOrDefault(k => k.Name == name);

    /// <summary>What is wrong with the definition by itself, without inputs or data: unknown kinds and parameters, values out of range.</summary>
    public static IReadOnlyList<Diagnostic> Check(PipelineDefinition definition) =>
        [.. definition.Steps.SelectMany((step, i) => StepChecks.Of(step, i + 1))];
}
