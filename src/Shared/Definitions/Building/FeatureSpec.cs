namespace StreamMl.Shared.Definitions.Building;

/// <summary>An entry of a view's features, built in C#: <c>Aggregate.Mean("arr_delay").Over("1h", "24h").As("delay")</c>. Immutable.</summary>
public sealed class FeatureSpec
{
    private readonly string aggregation;
    private readonly IReadOnlyList<string> windows;
    private readonly string? name;

    internal FeatureSpec(string aggregation, IReadOnlyList<string>? windows = null, string? name = null)
    {
        this.aggregation = aggregation;
        this.windows = windows ?? [];
        this.name = name;
    }

    /// <summary>Its own windows instead of the view's: durations or "lifetime".</summary>
    public FeatureSpec Over(params string[] windows) => new(aggregation, windows, name);

    /// <summary>A name of its own; over more than one window each gets its window's suffix.</summary>
    public FeatureSpec As(string name) => new(aggregation, windows, name);

    public override string ToString() =>
        aggregation + (windows.Count > 0 ? $" over {string.Join(", ", windows)}" : "") + (name is null ? "" : $" as {name}");
}

/// <summary>The aggregations, for definitions in C#. What each takes and gives: <see cref="AggregationTypes"/>.</summary>
public static class Aggregate
{
    public static FeatureSpec Count { get; } = new(AggregationNames.Count);

    public static FeatureSpec TimeSinceLast { get; } = new(AggregationNames.TimeSinceLast);

    public static FeatureSpec CountOf(string column) => Of(AggregationNames.Count, column);

    public static FeatureSpec Sum(string column) => Of(AggregationNames.Sum, column);

    public static FeatureSpec Mean(string column) => Of(AggregationNames.Mean, column);

    public static FeatureSpec Min(string column) => Of(AggregationNames.Min, column);

    public static FeatureSpec Max(string column) => Of(AggregationNames.Max, column);

    public static FeatureSpec Variance(string column) => Of(AggregationNames.VarianceSample, column);

    public static FeatureSpec VariancePopulation(string column) => Of(AggregationNames.VariancePopulation, column);

    public static FeatureSpec Stddev(string column) => Of(AggregationNames.StddevSample, column);

    public static FeatureSpec StddevPopulation(string column) => Of(AggregationNames.StddevPopulation, column);

    public static FeatureSpec First(string column) => Of(AggregationNames.First, column);

    /// <param name="column">A column, or * for all fields of the source but its event time and the view's keys.</param>
    public static FeatureSpec Last(string column) => Of(AggregationNames.Last, column);

    public static FeatureSpec LastK(string column, int k) => new(new Aggregation(AggregationNames.LastK, column, k).ToString());

    public static FeatureSpec CountDistinct(string column, int? bound = null) => new(new Aggregation(AggregationNames.CountDistinct, column, bound).ToString());

    public static FeatureSpec TimeSinceLastOf(string column) => Of(AggregationNames.TimeSinceLast, column);

    private static FeatureSpec Of(string function, string column) => new($"{function}({column})");
}
