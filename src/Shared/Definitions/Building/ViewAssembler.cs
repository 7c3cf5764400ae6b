using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.Shared.Definitions.Building;

/// <summary>Makes the view definitions of a builder: names, expansion of * and windows, canonical expressions.</summary>
internal sealed class ViewAssembler(IReadOnlyList<SourceDefinition> sources, IReadOnlyList<EntityDefinition> entities, Findings findings)
{
    public IEnumerable<ViewDefinition> Assemble(ViewBuilder builder)
    {
        if (builder.SourceName is null)
            findings.Error(builder.Location, $"view '{builder.Name}' has no source", Suggestion.Remedy("", sources.Select(s => s.Name), "sources"));
        if (builder.EntityNames.Count == 0)
            findings.Error(builder.Location, $"view '{builder.Name}' has no entity", Suggestion.Remedy("", entities.Select(e => e.Name), "entities"));
        if (builder.FeatureTexts.Count == 0)
            findings.Error(builder.Location, $"view '{builder.Name}' has no features", "Name some: `features: [count]`");
        if (builder.IsFamily && builder.KeyFields is not null)
            findings.Error(builder.Parts.Find("key"), $"view '{builder.Name}' has several entities and one key", "Leave `key` out, or write one view an entity");
        if (builder.SourceName is not { } sourceName)
            return [];
        var shared = AssembleShared(builder, sourceName.Text);
        return builder.EntityNames.Select(entity => AssembleOne(builder, shared, entity)).ToList();
    }

    private ViewDefinition AssembleShared(ViewBuilder builder, string source) => new()
    {
        Name = builder.Name,
        Source = source,
        Entity = "",
        KeyFields = [],
        Features = [],
        Filter = builder.Filter is { } filter ? Canonical(filter) : null,
        Derive = [.. builder.Derived.Select(d => new DerivedColumn(d.Name, Canonical(d.Expression), WithText(d.Expression, builder.Location)))],
        AllowedLateness = Duration(builder.LatenessText, builder, "allowedLateness") ?? TimeSpan.FromMinutes(10),
        Hop = Duration(builder.HopText, builder, "hop"),
        IdleLimit = Duration(builder.IdleText, builder, "idleLimit"),
        Location = builder.Location,
        Parts = builder.Parts,
    };

    /// <summary>The place with the text as written, in which validation points at mistakes.</summary>
    internal static SourceLocation? WithText(Located text, SourceLocation? around) => (text.At ?? around) is { } at ? at with { Text = text.Text } : null;

    private ViewDefinition AssembleOne(ViewBuilder builder, ViewDefinition shared, Located entity)
    {
        var definition = entities.FirstOrDefault(e => e.Name == entity.Text);
        var view = shared with
        {
            Name = builder.IsFamily ? $"{entity.Text}_{builder.Name}" : builder.Name,
            Entity = entity.Text,
            KeyFields = builder.KeyFields is { } keys ? [.. keys.Select(k => k.Text)] : definition?.Keys ?? [],
        };
        return view with { Features = Features(builder, view, report: !builder.IsFamily || entity == builder.EntityNames[0]) };
    }

    // A family says the same of all its views, so that only the first of them reports.
    private List<FeatureDefinition> Features(ViewBuilder builder, ViewDefinition view, bool report)
    {
        var sink = report ? findings : new Findings();
        var windows = Windows(builder.WindowTexts, builder.Location, sink);
        var features = new List<FeatureDefinition>();
        foreach (var text in builder.FeatureTexts)
        {
            var at = text.At ?? builder.Location;
            if (FeatureText.TryParse(text.Text, out var problem, out var remedy) is { } entry)
                features.AddRange(Expand(view, entry, windows, builder.WindowTexts.Count > 0, at, sink));
            else
                sink.Error(at, problem, remedy);
        }

        return features;
    }

    private IEnumerable<FeatureDefinition> Expand(ViewDefinition view, FeatureEntry entry, IReadOnlyList<WindowDefinition> viewWindows, bool hasWindows, SourceLocation? at, Findings sink)
    {
        var own = Windows([.. entry.Windows.Select(w => new Located(w, at))], at, sink);
        var windows = entry.Windows.Count > 0 ? own
            : FeatureNames.IsPointLike(entry.Aggregation.Function) ? [new LifetimeWindow()]
            : viewWindows;
        if (windows.Count == 0 && entry.Windows.Count == 0 && !hasWindows && AggregationTypes.IsKnown(entry.Aggregation.Function))
            sink.Error(at, $"`{entry.Aggregation}` has no window", $"Add `windows: [1h, 24h]` to the view, or write `{entry.Aggregation} over 1h` or `{entry.Aggregation} over lifetime`");
        // Kept, so that validation can say that there is no such function.
        if (windows.Count == 0 && !AggregationTypes.IsKnown(entry.Aggregation.Function))
            windows = [new LifetimeWindow()];
        return from aggregation in Columns(view, entry, at, sink)
               from window in windows
               select new FeatureDefinition(NameOf(entry, aggregation, window), aggregation, window, at);
    }

    private static string NameOf(FeatureEntry entry, Aggregation aggregation, WindowDefinition window)
    {
        if (entry.Name is null)
            return FeatureNames.Of(aggregation, window);
        var name = entry.Aggregation.Column == "*" ? $"{entry.Name}_{aggregation.Column}" : entry.Name;
        var isOnlyWindow = entry.Windows.Count == 1 || (entry.Windows.Count == 0 && FeatureNames.IsPointLike(aggregation.Function));
        return isOnlyWindow ? name : $"{name}_{window.Label}";
    }

    // * stands for every field that the aggregation can take but the event time and the view's keys.
    private IEnumerable<Aggregation> Columns(ViewDefinition view, FeatureEntry entry, SourceLocation? at, Findings sink)
    {
        var aggregation = entry.Aggregation;
        if (aggregation.Column != "*")
            return [aggregation];
        if (sources.FirstOrDefault(s => s.Name == view.Source) is not { } source)
            return [];
        var fields = source.Schema.Fields.Where(f => f.Name != source.EventTimeField && !view.KeyFields.Contains(f.Name)
            && AggregationTypes.Accepted(aggregation.Function).Contains(f.Type)).ToList();
        if (fields.Count == 0)
            sink.Error(at, $"`{aggregation}` finds no field in source '{source.Name}' that {aggregation.Function} can take", "Name a column");
        return fields.Select((EventField f) => aggregation with { Column = f.Name });
    }

    private static List<WindowDefinition> Windows(IReadOnlyList<Located> texts, SourceLocation? around, Findings sink) =>
        [.. texts.Select(w => DurationText.TryReadWindow(w, around, sink)).OfType<WindowDefinition>()];

    private TimeSpan? Duration(Located? text, ViewBuilder builder, string part) =>
        text is { } given && DurationText.TryRead(given, builder.Location, $"{part} of view '{builder.Name}'", findings, out var duration) ? duration : null;

    // A text that is no expression stays as it is: validation, which knows the fields too, says what is wrong with it.
    private static string Canonical(Located text)
    {
        try
        {
            return ExpressionText.Canonical(text.Text);
        }
        catch (ExpressionException)
        {
            return text.Text;
        }
    }
}
