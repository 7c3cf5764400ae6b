using StreamMl.Shared.Events;

namespace StreamMl.Shared.Definitions;

/// <summary>
/// All definitions of an installation: sources, entities, views, services. Built from YAML or in C#; both give the same canonical form
/// (<see cref="CanonicalForm"/>). Immutable; thread-safe. A catalogue that has passed validation has every reference resolved.
/// </summary>
public sealed record Catalog(
    string Name,
    IReadOnlyList<SourceDefinition> Sources,
    IReadOnlyList<EntityDefinition> Entities,
    IReadOnlyList<ViewDefinition> Views,
    IReadOnlyList<ServiceDefinition> Services)
{
    public SourceDefinition Source(string name) => Sources.FirstOrDefault(s => s.Name == name) ?? throw Unknown("source", name, Sources.Select(s => s.Name));

    public EntityDefinition Entity(string name) => Entities.FirstOrDefault(e => e.Name == name) ?? throw Unknown("entity", name, Entities.Select(e => e.Name));

    public ViewDefinition View(string name) => Views.FirstOrDefault(v => v.Name == name) ?? throw Unknown("view", name, Views.Select(v => v.Name));

    public ServiceDefinition Service(string name) => Services.FirstOrDefault(s => s.Name == name) ?? throw Unknown("service", name, Services.Select(s => s.Name));

    /// <summary>The views over a source.</summary>
    public IEnumerable<ViewDefinition> ViewsOf(SourceDefinition source) => Views.Where(v => v.Source == source.Name);

    private static ArgumentException Unknown(string kind, string name, IEnumerable<string> known) =>
        new($"there is no {kind} '{name}' in the catalogue; it has {string.Join(", ", known.Order(StringComparer.Ordinal))}");
}

/// <summary>A thing that features are about. <paramref name="Keys"/> names the fields that identify it, in order; none for the one global entity.</summary>
public sealed record EntityDefinition(string Name, IReadOnlyList<string> Keys, SourceLocation? Location = null);

/// <summary>An event source: a topic of Avro records.</summary>
public sealed record SourceDefinition
{
    public required string Name { get; init; }

    public required string Topic { get; init; }

    /// <summary>The Avro record schema, as JSON text.</summary>
    public required string AvroSchema { get; init; }

    /// <summary>The readable fields of <see cref="AvroSchema"/>.</summary>
    public required EventSchema Schema { get; init; }

    /// <summary>A timestamp field.</summary>
    public required string EventTimeField { get; init; }

    /// <summary>The fields whose canonical text is the record key of the topic.</summary>
    public required IReadOnlyList<string> KeyFields { get; init; }

    /// <summary>An event further than this after its own arrival is bad data. Default 5 minutes; at least 0.</summary>
    public TimeSpan MaxFutureSkew { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Partitions of the topic where StreamMl creates it, and of its repartition topics. Default 4; 1 to 1,024.</summary>
    public int Partitions { get; init; } = 4;

    public SourceLocation? Location { get; init; }

    /// <summary>Where its parts stand, by their key in the catalogue.</summary>
    public PartLocations Parts { get; init; } = PartLocations.None;
}

/// <summary>A column computed from a row before anything is aggregated. Later ones may use earlier ones.</summary>
public sealed record DerivedColumn(string Name, string Expression, SourceLocation? Location = null);

/// <summary>Features of one entity over one source.</summary>
public sealed record ViewDefinition
{
    public required string Name { get; init; }

    public required string Source { get; init; }

    public required string Entity { get; init; }

    /// <summary>The source's fields that hold the entity's keys, in the entity's order; the entity's own key names where nothing else is said.</summary>
    public required IReadOnlyList<string> KeyFields { get; init; }

    /// <summary>Rows for which this is not true (false or null) are filtered. Null: all rows.</summary>
    public string? Filter { get; init; }

    public IReadOnlyList<DerivedColumn> Derive { get; init; } = [];

    public required IReadOnlyList<FeatureDefinition> Features { get; init; }

    /// <summary>How far an entity's reads go back behind its newest event, and how late an event may be for the shortest window. Default 10 minutes.</summary>
    public TimeSpan AllowedLateness { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The hop of all trailing windows, on the ladder. Null: each window's default hop.</summary>
    public TimeSpan? Hop { get; init; }

    /// <summary>Forget an entity with lifetime or last-N aggregates after this long without an event. Null: never.</summary>
    public TimeSpan? IdleLimit { get; init; }

    public SourceLocation? Location { get; init; }

    /// <summary>Where its parts stand, by their key in the catalogue.</summary>
    public PartLocations Parts { get; init; } = PartLocations.None;
}

/// <summary>One aggregation over one window.</summary>
/// <param name="Name">Name within the view, by default <see cref="FeatureNames.Of"/>: <c>mean_arr_delay_1h</c>.</param>
/// <param name="Aggregation">What is computed.</param>
/// <param name="Window">Over which events.</param>
/// <param name="Location">Where it is defined.</param>
public sealed record FeatureDefinition(string Name, Aggregation Aggregation, WindowDefinition Window, SourceLocation? Location = null);

/// <summary>An aggregation and its argument: <c>count</c>, <c>mean(arr_delay)</c>, <c>last_k(arr_delay, 3)</c>, <c>count_distinct(dest, 100)</c>.</summary>
/// <param name="Function">Lower-case name, see <see cref="AggregationNames"/>.</param>
/// <param name="Column">A field of the source or a derived column; null for <c>count</c> and <c>time_since_last</c> of rows.</param>
/// <param name="Parameter">k of last_k (1 to 64), bound of count_distinct (1 to 10,000; default 1,000); null where there is none.</param>
public sealed record Aggregation(string Function, string? Column = null, int? Parameter = null)
{
    public override string ToString() => (Column, Parameter) switch
    {
        (null, null) => Function,
        (null, _) => $"{Function}({Parameter})",
        (_, null) => $"{Function}({Column})",
        _ => $"{Function}({Column}, {Parameter})",
    };
}

/// <summary>The aggregations there are.</summary>
public static class AggregationNames
{
    public const string Count = "count";
    public const string Sum = "sum";
    public const string Mean = "mean";
    public const string Min = "min";
    public const string Max = "max";
    public const string VarianceSample = "variance";
    public const string VariancePopulation = "variance_pop";
    public const string StddevSample = "stddev";
    public const string StddevPopulation = "stddev_pop";
    public const string First = "first";
    public const string Last = "last";
    public const string LastK = "last_k";
    public const string CountDistinct = "count_distinct";
    public const string TimeSinceLast = "time_since_last";

    public static IReadOnlyList<string> All { get; } =
    [
        Count, Sum, Mean, Min, Max, VarianceSample, VariancePopulation, StddevSample, StddevPopulation, First, Last, LastK, CountDistinct, TimeSinceLast,
    ];
}

/// <summary>Which events a value covers. More kinds (tumbling, hopping, session, last-N) will stand beside these.</summary>
public abstract record WindowDefinition
{
    /// <summary>Suffix in feature names: 30m, 24h, 7d, lifetime.</summary>
    public abstract string Label { get; }
}

/// <summary>The last <paramref name="Length"/> up to the time of the read: 5 s to 365 days. A sawtooth window on tiles of a hop.</summary>
public sealed record TrailingWindow(TimeSpan Length) : WindowDefinition
{
    public static TimeSpan MinLength { get; } = TimeSpan.FromSeconds(5);

    public static TimeSpan MaxLength { get; } = TimeSpan.FromDays(365);

    public override string Label => Durations.Format(Length);
}

/// <summary>All events that the entity ever had.</summary>
public sealed record LifetimeWindow : WindowDefinition
{
    public override string Label => "lifetime";
}

/// <summary>The features that a model reads, from several views and entities.</summary>
public sealed record ServiceDefinition
{
    public required string Name { get; init; }

    /// <summary>The source whose events trigger a read; null: reads by request only.</summary>
    public string? Trigger { get; init; }

    public required IReadOnlyList<FeatureReference> Features { get; init; }

    /// <summary>How long before a label row's time an event must have arrived to be seen by it. Default 0.</summary>
    public TimeSpan ServingDelay { get; init; }

    public SourceLocation? Location { get; init; }

    /// <summary>Where its parts stand, by their key in the catalogue; a feature's by its full name.</summary>
    public PartLocations Parts { get; init; } = PartLocations.None;
}

/// <summary>One feature definition of a view (with all its output columns), resolved: wildcards are expanded before this is made.</summary>
public sealed record FeatureReference(string View, string Feature)
{
    public override string ToString() => $"{View}.{Feature}";
}
