namespace StreamMl.Shared.Definitions;

/// <summary>The names that features get where the definition gives none. Pure.</summary>
public static class FeatureNames
{
    /// <summary><c>function_column_window</c>: count_1h, mean_arr_delay_1h, last_dest (lifetime first/last/last_k/time_since_last carry no window).</summary>
    public static string Of(Aggregation aggregation, WindowDefinition window)
    {
        var parts = new List<string> { aggregation.Function };
        if (aggregation.Column is not null)
            parts.Add(aggregation.Column);
        if (window is not LifetimeWindow || !IsPointLike(aggregation.Function))
            parts.Add(window.Label);
        return string.Join('_', parts);
    }

    /// <summary>Aggregations whose window, unless one is named, is the lifetime: they point at single events.</summary>
    public static bool IsPointLike(string function) =>
        function is AggregationNames.First or AggregationNames.Last or AggregationNames.LastK or AggregationNames.TimeSinceLast;
}
