using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Aggregates;

/// <summary>What each aggregation takes and gives. Pure.</summary>
public static class AggregationTypes
{
    /// <summary>Type of the value, or null where the aggregation cannot take such a column (null: no column).</summary>
    public static FieldType? OutputType(string function, FieldType? column) => function switch
    {
        AggregationNames.Count => FieldType.Int64,
        AggregationNames.TimeSinceLast => FieldType.Float64,
        _ when column is null => null,
        AggregationNames.CountDistinct => FieldType.Int64,
        AggregationNames.First or AggregationNames.Last or AggregationNames.LastK or AggregationNames.Min or AggregationNames.Max => column,
        AggregationNames.Sum or AggregationNames.Mean or AggregationNames.VariancePopulation or AggregationNames.VarianceSample
            or AggregationNames.StddevPopulation or AggregationNames.StddevSample =>
            column is FieldType.Int64 or FieldType.Float64 or FieldType.Boolean ? FieldType.Float64 : null,
        _ => null,
    };
}
