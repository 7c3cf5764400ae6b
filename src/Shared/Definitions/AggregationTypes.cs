using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.Shared.Definitions;

/// <summary>What each aggregation takes and gives: the one typing table, for validation, the engine and names of outputs. Pure; thread-safe.</summary>
public static class AggregationTypes
{
    public const int MaxLastK = 64;
    public const int MaxDistinctBound = 10_000;

    private static readonly FieldType[] Numbers = [FieldType.Int64, FieldType.Float64, FieldType.Boolean];
    private static readonly FieldType[] Everything = [FieldType.Boolean, FieldType.Int64, FieldType.Float64, FieldType.String, FieldType.Timestamp];

    public static bool IsKnown(string function) => AggregationNames.All.Contains(function);

    /// <summary>The column types that the aggregation takes. A Boolean counts as 1 where it is true, so its mean is a share.</summary>
    public static IReadOnlyList<FieldType> Accepted(string function) => function switch
    {
        AggregationNames.Sum or AggregationNames.Mean or AggregationNames.VarianceSample or AggregationNames.VariancePopulation
            or AggregationNames.StddevSample or AggregationNames.StddevPopulation => Numbers,
        _ => Everything,
    };

    /// <summary>Without a column only rows can be counted and timed.</summary>
    public static bool WorksOnRows(string function) => function is AggregationNames.Count or AggregationNames.TimeSinceLast;

    public static bool TakesParameter(string function) => function is AggregationNames.LastK or AggregationNames.CountDistinct;

    /// <summary>
    /// The type of the value: counts are Int64; sum, mean, variance, stddev and time_since_last (seconds) Float64; all others the column's.
    /// Null: the function is unknown or cannot take this column (a null <paramref name="column"/> means rows).
    /// </summary>
    public static FieldType? OutputType(string function, FieldType? column)
    {
        if (!IsKnown(function) || (column is null && !WorksOnRows(function)) || (column is { } type && !Accepted(function).Contains(type)))
            return null;
        return function switch
        {
            AggregationNames.Count or AggregationNames.CountDistinct => FieldType.Int64,
            AggregationNames.Sum or AggregationNames.Mean or AggregationNames.VarianceSample or AggregationNames.VariancePopulation
                or AggregationNames.StddevSample or AggregationNames.StddevPopulation or AggregationNames.TimeSinceLast => FieldType.Float64,
            _ => column,
        };
    }

    /// <summary>The output columns of a feature: one of its own name; last_k has k, <c>name_1</c> (the newest) to <c>name_k</c>.</summary>
    public static IReadOnlyList<FeatureColumn> Outputs(string view, FeatureDefinition feature, FieldType type) =>
        feature.Aggregation.Function == AggregationNames.LastK
            ? [.. Enumerable.Range(1, Math.Clamp(feature.Aggregation.Parameter ?? 1, 1, MaxLastK)).Select(i => new FeatureColumn(view, $"{feature.Name}_{i}", type))]
            : [new FeatureColumn(view, feature.Name, type)];
}
