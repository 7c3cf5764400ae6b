using StreamMl.FeatureEngine.Expressions;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>What a view must be: its references, keys, expressions and features. One use.</summary>
internal sealed class ViewRules(Catalog catalog, ViewDefinition view, EntityKeyTypes keys, Report report)
{
    private readonly HashSet<string> used = new(StringComparer.Ordinal);
    private EventSchema? columns;
    private bool columnsAreKnown = true;

    public void Check()
    {
        Names.CheckName(view.Name, "view", view.Location, report);
        var source = catalog.Sources.FirstOrDefault(s => s.Name == view.Source);
        var entity = catalog.Entities.FirstOrDefault(e => e.Name == view.Entity);
        if (source is null)
            report.Error(At("source"), $"view '{view.Name}' reads `{view.Source}`, which is no source", Suggestion.Remedy(view.Source, catalog.Sources.Select(s => s.Name), "sources"));
        if (entity is null)
            report.Error(At("entity"), $"view '{view.Name}' is about `{view.Entity}`, which is no entity", Suggestion.Remedy(view.Entity, catalog.Entities.Select(e => e.Name), "entities"));
        WindowRules.Check(view, report);
        FeatureRules.CheckNames(view, report);
        if (source is null)
            return;
        if (entity is not null)
            CheckKeys(source, entity);
        columns = source.Schema;
        foreach (var derived in view.Derive)
            AddDerived(derived);
        CheckFilter();
        foreach (var feature in view.Features)
            FeatureRules.Check(view, feature, columns, columnsAreKnown, report);
        WarnOfUnused();
    }

    private SourceLocation? At(string part) =>
        view.Parts.Find(part) ?? (part == "entity" ? view.Parts.Find("entities") : null) ?? view.Location;

    private void CheckKeys(SourceDefinition source, EntityDefinition entity)
    {
        var at = view.Parts.Find("key") ?? At("entity");
        if (view.KeyFields.Count != entity.Keys.Count)
        {
            report.Error(at, $"view '{view.Name}' has {view.KeyFields.Count} key field(s), and entity '{entity.Name}' has {entity.Keys.Count}: {string.Join(", ", entity.Keys)}", "Name one field of the source for each key of the entity, in its order");
            return;
        }

        for (var i = 0; i < view.KeyFields.Count; i++)
        {
            var what = $"key `{entity.Keys[i]}` of view '{view.Name}'";
            if (SourceRules.CheckKeyField(source, view.KeyFields[i], at, what, report) is { } type)
                keys.Note(entity, i, type, at, $"view '{view.Name}'");
        }
    }

    private void AddDerived(DerivedColumn derived)
    {
        var at = derived.Location ?? view.Location;
        if (!Names.IsIdentifier(derived.Name))
            report.Error(at, $"`{derived.Name}` is no name for a derived column", "Use letters, digits and _, and start with a letter");
        if (columns!.Find(derived.Name) is not null)
        {
            report.Error(at, $"view '{view.Name}' derives `{derived.Name}`, and there is already a column of that name", "Give it another name");
            return;
        }

        if (Compile(derived.Expression, at, $"derived column `{derived.Name}` of view '{view.Name}'") is not { } expression)
        {
            columnsAreKnown = false;
            return;
        }

        columns = new EventSchema(columns.Name, [.. columns.Fields, new EventField(derived.Name, expression.Type, Nullable: true)]);
    }

    private void CheckFilter()
    {
        if (view.Filter is null)
            return;
        var at = At("where");
        if (Compile(view.Filter, at, $"`where` of view '{view.Name}'") is { } filter && filter.Type != FieldType.Boolean)
            report.Error(at, $"`where` of view '{view.Name}' is a {filter.Type}", $"It must be true or false: compare it with something, such as {ExpressionBinder.Comparison(filter.Type, ExpressionText.Parse(filter.Text))}");
    }

    private CompiledExpression? Compile(string text, SourceLocation? at, string what)
    {
        try
        {
            var expression = CompiledExpression.Compile(at?.Text ?? text, columns!);
            used.UnionWith(expression.Fields);
            return expression;
        }
        catch (ExpressionException error)
        {
            report.Error(at, what, error);
            return null;
        }
    }

    private void WarnOfUnused()
    {
        used.UnionWith(view.Features.Select(f => f.Aggregation.Column).OfType<string>());
        foreach (var derived in view.Derive.Where(d => !used.Contains(d.Name)))
            report.Warn(derived.Location ?? view.Location, $"view '{view.Name}' derives `{derived.Name}` and never uses it", "Aggregate it, or remove it");
    }
}
