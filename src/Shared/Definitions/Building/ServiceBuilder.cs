namespace StreamMl.Shared.Definitions.Building;

/// <summary>A feature service in the making. Not thread-safe.</summary>
public sealed class ServiceBuilder
{
    private readonly string name;
    private readonly SourceLocation? location;
    private readonly Dictionary<string, SourceLocation> parts = new(StringComparer.Ordinal);
    private readonly List<Located> features = [];
    private Located? trigger;
    private Located? delay;

    internal ServiceBuilder(string name, SourceLocation? location)
    {
        this.name = name;
        this.location = location;
    }

    /// <summary>The source whose events trigger a read. Default: none, reads by request only.</summary>
    public ServiceBuilder Trigger(Located source)
    {
        trigger = source;
        return Note("trigger", source.At);
    }

    /// <summary>
    /// Adds features: <c>view.feature</c>, <c>view.mean_*</c>, <c>view.*</c>, <c>view.mean(arr_delay)</c> (over all its windows),
    /// <c>view.last(*)</c>; the view may have a * too.
    /// </summary>
    public ServiceBuilder Features(params Located[] references)
    {
        features.AddRange(references);
        return this;
    }

    /// <summary>Default 0s.</summary>
    public ServiceBuilder ServingDelay(Located duration)
    {
        delay = duration;
        return Note("servingDelay", duration.At);
    }

    internal ServiceDefinition Build(IReadOnlyList<ViewDefinition> views, Findings findings)
    {
        var references = new FeatureReferences(views, findings);
        if (features.Count == 0)
            findings.Error(location, $"service '{name}' reads no features", "Name some: `features: [my_view.*]`");
        foreach (var feature in features)
        {
            foreach (var resolved in references.Resolve(feature, feature.At ?? location, name))
            {
                if ((feature.At ?? location) is { } at)
                    parts.TryAdd(resolved.ToString(), at);
            }
        }

        var length = TimeSpan.Zero;
        if (delay is { } text)
            DurationText.TryRead(text, location, $"servingDelay of service '{name}'", findings, out length);
        return new ServiceDefinition
        {
            Name = name,
            Trigger = trigger?.Text,
            Features = references.All,
            ServingDelay = length,
            Location = location,
            Parts = new PartLocations(parts),
        };
    }

    private ServiceBuilder Note(string part, SourceLocation? at)
    {
        if ((at ?? location) is { } found)
            parts[part] = found;
        return this;
    }
}
