namespace StreamMl.Shared.Definitions.Building;

/// <summary>A view in the making, or several alike, one an entity. Not thread-safe.</summary>
public sealed class ViewBuilder
{
    private readonly Dictionary<string, SourceLocation> parts = new(StringComparer.Ordinal);

    internal ViewBuilder(string name, SourceLocation? location)
    {
        Name = name;
        Location = location;
    }

    internal string Name { get; }

    internal SourceLocation? Location { get; }

    internal PartLocations Parts => new(parts);

    internal Located? SourceName { get; private set; }

    internal IReadOnlyList<Located> EntityNames { get; private set; } = [];

    /// <summary>One view an entity, each named entity_view.</summary>
    internal bool IsFamily { get; private set; }

    internal IReadOnlyList<Located>? KeyFields { get; private set; }

    internal Located? Filter { get; private set; }

    internal List<(string Name, Located Expression)> Derived { get; } = [];

    internal List<Located> FeatureTexts { get; } = [];

    internal List<Located> WindowTexts { get; } = [];

    internal Located? HopText { get; private set; }

    internal Located? LatenessText { get; private set; }

    internal Located? IdleText { get; private set; }

    /// <summary>The source that the view reads.</summary>
    public ViewBuilder From(Located source) => Note("source", SourceName = source);

    /// <summary>The entity that the features are about.</summary>
    public ViewBuilder Entity(Located entity)
    {
        EntityNames = [entity];
        return Note("entity", entity);
    }

    /// <summary>Makes one view for each of the entities, named <c>entity_view</c>.</summary>
    public ViewBuilder Entities(params Located[] entities)
    {
        (EntityNames, IsFamily) = (entities, true);
        return Note("entities", entities.Length > 0 ? entities[0] : default);
    }

    /// <summary>The source's fields that hold the entity's keys. Default: the entity's own key names.</summary>
    public ViewBuilder Key(params Located[] fields) => Note("key", (KeyFields = fields).Count > 0 ? fields[0] : default);

    /// <summary>Only rows for which the expression is true count.</summary>
    public ViewBuilder Where(Located expression)
    {
        Filter = expression;
        return Note("where", expression with { At = ViewAssembler.WithText(expression, Location) });
    }

    /// <summary>A column computed from each row; later ones may use it.</summary>
    public ViewBuilder Derive(string name, Located expression)
    {
        Derived.Add((name, expression));
        return this;
    }

    /// <summary>Aggregations: <c>count</c>, <c>mean(arr_delay)</c>, <c>max(arr_delay) over 1h, 24h as worst</c>, or <see cref="Aggregate"/>.</summary>
    public ViewBuilder Features(params Located[] features)
    {
        FeatureTexts.AddRange(features);
        return this;
    }

    /// <summary>The windows of all features that have none of their own: durations or "lifetime".</summary>
    public ViewBuilder Windows(params Located[] windows)
    {
        WindowTexts.AddRange(windows);
        foreach (var window in windows)
            Note($"windows/{window.Text}", window);
        return Note("windows", windows.Length > 0 ? windows[0] : default);
    }

    /// <summary>The hop of all trailing windows. Default: the finest on which a window needs at most 64 tiles.</summary>
    public ViewBuilder Hop(Located duration) => Note("hop", HopText = duration);

    /// <summary>Default 10m.</summary>
    public ViewBuilder AllowedLateness(Located duration) => Note("allowedLateness", LatenessText = duration);

    /// <summary>Default: entities with lifetime or last-N features are never forgotten.</summary>
    public ViewBuilder IdleLimit(Located duration) => Note("idleLimit", IdleText = duration);

    private ViewBuilder Note(string part, Located? text)
    {
        if ((text?.At ?? Location) is { } at)
            parts[part] = at;
        return this;
    }
}
