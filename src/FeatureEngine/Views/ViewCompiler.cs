using StreamMl.FeatureEngine.Expressions;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Views;

/// <summary>Turns a view's features into levels, parts and outputs. One use.</summary>
internal sealed class ViewCompiler(ViewDefinition view, SourceDefinition source)
{
    private readonly List<FeatureColumn> outputs = [];
    private readonly Dictionary<string, (int First, int Count)> outputsByFeature = new(StringComparer.Ordinal);
    private readonly List<ProgramColumn> columns = [];

    public ViewProgram Compile()
    {
        if (view.Features.Count == 0)
            throw DefinitionException.Of(view.Location, $"view '{view.Name}' has no features", "Name at least one aggregation, such as count");
        var schema = SchemaWithDerived();
        columns.AddRange(view.Features.Select(f => f.Aggregation.Column).OfType<string>().Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).Select(name => ColumnOf(schema, name)));
        foreach (var feature in view.Features)
            AddOutputs(feature);
        var levels = view.Features.GroupBy(HopOf).OrderBy(g => g.Key == 0 ? long.MaxValue : g.Key).Select(BuildLevel).ToList();
        return new ViewProgram(view, source, schema, columns, levels, outputs, outputsByFeature);
    }

    /// <summary>The schema that rows have after the derived columns were added, for compiling expressions.</summary>
    private EventSchema SchemaWithDerived()
    {
        var schema = source.Schema;
        foreach (var derived in view.Derive)
        {
            var expression = CompiledExpression.Compile(derived.Expression, schema);
            schema = new EventSchema(schema.Name, [.. schema.Fields, new EventField(derived.Name, expression.Type, Nullable: true)]);
        }

        return schema;
    }

    private ProgramColumn ColumnOf(EventSchema schema, string name) => schema.Find(name) is { } field
        ? new ProgramColumn(name, field.Type)
        : throw DefinitionException.Of(view.Location, $"view '{view.Name}' aggregates '{name}', which source '{source.Name}' does not have", $"Use one of {string.Join(", ", schema.Fields.Select(f => f.Name))}");

    private long HopOf(FeatureDefinition feature)
    {
        if (feature.Window is not TrailingWindow trailing)
            return 0;
        var windowUs = TimeGrid.ToMicros(trailing.Length);
        return view.Hop is { } hop ? TimeGrid.ToMicros(hop) : TimeGrid.DefaultHopUs(windowUs);
    }

    private int IndexOf(string? column) => column is null ? -1 : columns.FindIndex(c => c.Name == column);

    private FieldType TypeOf(Aggregation aggregation) => columns[IndexOf(aggregation.Column)].Type;

    private void AddOutputs(FeatureDefinition feature)
    {
        var type = AggregationTypes.OutputType(feature.Aggregation.Function, feature.Aggregation.Column is null ? null : TypeOf(feature.Aggregation))
            ?? throw DefinitionException.Of(feature.Location ?? view.Location, $"feature '{feature.Name}': {feature.Aggregation.Function} cannot take {(feature.Aggregation.Column is null ? "no column" : $"'{feature.Aggregation.Column}' of type {TypeOf(feature.Aggregation)}")}", "See docs/catalog.md for what each aggregation takes");
        var first = outputs.Count;
        if (feature.Aggregation.Function == AggregationNames.LastK)
        {
            for (var i = 1; i <= feature.Aggregation.Parameter; i++)
                outputs.Add(new FeatureColumn(view.Name, $"{feature.Name}_{i}", type));
        }
        else
        {
            outputs.Add(new FeatureColumn(view.Name, feature.Name, type));
        }

        if (!outputsByFeature.TryAdd(feature.Name, (first, outputs.Count - first)))
            throw DefinitionException.Of(feature.Location ?? view.Location, $"view '{view.Name}' has two features named '{feature.Name}'", "Give one of them another name");
    }

    private Level BuildLevel(IGrouping<long, FeatureDefinition> features)
    {
        var parts = new LevelParts(columns);
        foreach (var aggregation in features.Select(f => f.Aggregation))
            parts.Need(aggregation, IndexOf(aggregation.Column));
        parts.Freeze();
        var windows = features.GroupBy(f => WindowUs(f.Window)).OrderBy(g => g.Key).Select(g => PlanWindow(parts, g)).ToArray();
        return new Level
        {
            HopUs = features.Key,
            WindowUs = windows[^1].WindowUs,
            Ops = parts.Ops,
            Variables = parts.Variables,
            VariableColumns = parts.VariableColumns,
            LaneCount = parts.LaneCount,
            Windows = windows,
        }.Prepared();
    }

    private WindowPlan PlanWindow(LevelParts parts, IGrouping<long, FeatureDefinition> features)
    {
        var plans = new List<OutputPlan>();
        foreach (var feature in features)
        {
            var (first, count) = outputsByFeature[feature.Name];
            var (kind, part) = parts.Find(feature.Aggregation, IndexOf(feature.Aggregation.Column));
            for (var i = 0; i < count; i++)
                plans.Add(new OutputPlan(first + i, kind, part, i));
        }

        return new WindowPlan(
            features.Key,
            [.. plans.Where(p => p.Kind != ReadOutKind.Variable).Select(p => p.Part).Distinct().Order()],
            [.. plans.Where(p => p.Kind == ReadOutKind.Variable).Select(p => p.Part).Distinct().Order()],
            [.. plans]);
    }

    private static long WindowUs(WindowDefinition window) => window is TrailingWindow trailing ? TimeGrid.ToMicros(trailing.Length) : 0;
}
