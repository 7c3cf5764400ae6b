using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>What a feature must be: its function, column, parameter and names.</summary>
internal static class FeatureRules
{
    public const int MaxFeatures = 1024;

    public static void CheckNames(ViewDefinition view, Report report)
    {
        if (view.Features.Count > MaxFeatures)
            report.Error(view.Location, $"view '{view.Name}' has {view.Features.Count} features", $"At most {MaxFeatures} stand in one view: split it");
        var names = new Dictionary<string, FeatureDefinition>(StringComparer.Ordinal);
        foreach (var feature in view.Features)
        {
            var at = feature.Location ?? view.Location;
            if (!Names.IsIdentifier(feature.Name))
                report.Error(at, $"`{feature.Name}` is no name for a feature", "Use letters, digits and _, and start with a letter");
            foreach (var output in AggregationTypes.Outputs(view.Name, feature, FieldType.Int64))
            {
                if (!names.TryAdd(output.Name, feature) && names[output.Name] is var other)
                    report.Error(at, $"view '{view.Name}' has two features named `{output.Name}`: {Show(other)} and {Show(feature)}", "Give one a name of its own: `... as name`, or write it once");
            }
        }
    }

    public static void Check(ViewDefinition view, FeatureDefinition feature, EventSchema columns, bool columnsAreKnown, Report report)
    {
        var aggregation = feature.Aggregation;
        var at = feature.Location ?? view.Location;
        if (!AggregationTypes.IsKnown(aggregation.Function))
        {
            report.Error(at, $"there is no aggregation `{aggregation.Function}`", Suggestion.Remedy(aggregation.Function, AggregationNames.All, "aggregations"));
            return;
        }

        CheckParameter(aggregation, at, report);
        if (aggregation.Column is null)
        {
            if (!AggregationTypes.WorksOnRows(aggregation.Function))
                report.Error(at, $"`{aggregation}` names no column", $"Write `{aggregation.Function}(column)`");
        }
        else if (columns.Find(aggregation.Column) is not { } column)
        {
            // After a mistake in a derived column this would only be its echo.
            if (columnsAreKnown || view.Derive.All(d => d.Name != aggregation.Column))
                report.Error(at, $"`{aggregation}` aggregates `{aggregation.Column}`, which is neither a field of source '{view.Source}' nor derived", Suggestion.Remedy(aggregation.Column, columns.Fields.Select(f => f.Name), "columns"));
        }
        else if (AggregationTypes.OutputType(aggregation.Function, column.Type) is null)
        {
            report.Error(at, $"`{aggregation}` cannot take `{column.Name}`, a {column.Type}", $"{aggregation.Function} takes {string.Join(" or ", AggregationTypes.Accepted(aggregation.Function))}; count, count_distinct, first, last, last_k, min and max take a {column.Type}");
        }
    }

    private static void CheckParameter(Aggregation aggregation, SourceLocation? at, Report report)
    {
        var most = aggregation.Function == AggregationNames.LastK ? AggregationTypes.MaxLastK : AggregationTypes.MaxDistinctBound;
        if (aggregation.Parameter is { } parameter)
        {
            if (!AggregationTypes.TakesParameter(aggregation.Function))
                report.Error(at, $"`{aggregation}` has a parameter, and {aggregation.Function} takes none", $"Write `{aggregation with { Parameter = null }}`");
            else if (parameter < 1 || parameter > most)
                report.Error(at, $"the parameter of `{aggregation}` is {parameter}", $"{aggregation.Function} takes 1 to {most}");
        }
        else if (aggregation.Function == AggregationNames.LastK)
        {
            report.Error(at, $"`{aggregation}` does not say how many", $"Write `last_k({aggregation.Column ?? "column"}, 3)`; 1 to {AggregationTypes.MaxLastK}");
        }
    }

    private static string Show(FeatureDefinition feature) => $"{feature.Aggregation} over {feature.Window.Label}";
}
