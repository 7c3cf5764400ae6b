using StreamMl.Shared.Definitions;
using StreamMl.Shared.Features;

namespace StreamMl.FeatureEngine.Planning;

/// <summary>What a catalogue will run and cost, and what changes against the one before. Values only; nothing was touched to make it.</summary>
/// <param name="Views">In the order of the catalogue.</param>
/// <param name="Services">In the order of the catalogue.</param>
/// <param name="Changes">Against what runs, then against the previous catalogue; empty where neither is known.</param>
/// <param name="Diagnostics">Changes that would break what runs: incompatible schemas, partition counts, keys.</param>
public sealed record CatalogPlan(
    IReadOnlyList<ViewPlan> Views, IReadOnlyList<ServicePlan> Services, IReadOnlyList<Change> Changes, IReadOnlyList<Diagnostic> Diagnostics)
{
    /// <summary>What all of it takes of the store; null where <see cref="PlanOptions"/> do not say how many entities there are.</summary>
    public StorePlan? Store { get; init; }

    /// <summary>Topics that StreamMl writes for views keyed otherwise than their source.</summary>
    public IReadOnlyList<string> RepartitionTopics => [.. Views.Where(v => v.IsRepartitioned).Select(v => v.Log).Distinct(StringComparer.Ordinal)];
}

/// <summary>One view.</summary>
/// <param name="Name">The view.</param>
/// <param name="Entity">What it is about.</param>
/// <param name="Log">The topic that it reads.</param>
/// <param name="IsRepartitioned">The log is a repartition topic.</param>
/// <param name="Partitions">Of its log.</param>
/// <param name="Hash">SHA-256 of the canonical form, hex.</param>
/// <param name="Levels">From the finest hop to the lifetime.</param>
/// <param name="Outputs">Its columns.</param>
/// <param name="BytesWorst">Bytes of an entity's state in the store when every tile is there and every set is full; strings as in <see cref="PlanOptions"/>.</param>
/// <param name="BytesTypical">The same for an entity with an event every <see cref="PlanOptions.TypicalEventGap"/>.</param>
/// <param name="TilesPerRead">Tiles folded by one read, all windows together, when every tile is there.</param>
/// <param name="ForgetAfter">An entity without events is forgotten after this; null: never.</param>
public sealed record ViewPlan(
    string Name, string Entity, string Log, bool IsRepartitioned, int Partitions, string Hash, IReadOnlyList<LevelPlan> Levels,
    IReadOnlyList<FeatureColumn> Outputs, long BytesWorst, long BytesTypical, int TilesPerRead, TimeSpan? ForgetAfter)
{
    public string Hash8 => Hash[..8];
}

/// <summary>The tiles of one hop.</summary>
/// <param name="Hop">Null for the lifetime, which is one tile.</param>
/// <param name="TilesKept">At most, an entity.</param>
/// <param name="TileBytes">Of a tile's fixed part in the store.</param>
/// <param name="Windows">The windows on this hop.</param>
public sealed record LevelPlan(TimeSpan? Hop, int TilesKept, int TileBytes, IReadOnlyList<WindowTiles> Windows);

/// <summary>How many tiles a read of a window folds at most.</summary>
public sealed record WindowTiles(string Window, int Tiles);

/// <summary>One service.</summary>
/// <param name="Name">The service.</param>
/// <param name="Hash">SHA-256 of the canonical form, hex.</param>
/// <param name="Entities">Entities that a request names.</param>
/// <param name="Columns">Output columns.</param>
/// <param name="StateKeys">States that one read fetches: one a view.</param>
/// <param name="PositionKeys">Positions fetched with them, in the same command: one a view.</param>
/// <param name="BytesTypical">Of the states of one read, typically.</param>
/// <param name="TilesPerRead">At most.</param>
public sealed record ServicePlan(
    string Name, string Hash, IReadOnlyList<string> Entities, int Columns, int StateKeys, int PositionKeys, long BytesTypical, int TilesPerRead);

public enum ChangeKind
{
    Added,
    Changed,
    Removed,
}

/// <summary>A definition that differs from the previous catalogue's.</summary>
/// <param name="Kind">How.</param>
/// <param name="What">"view", "version of view", "service" or "source".</param>
/// <param name="Name">Its name.</param>
/// <param name="Details">What of it changed, one text each.</param>
/// <param name="Consequence">What follows, in one sentence.</param>
public sealed record Change(ChangeKind Kind, string What, string Name, IReadOnlyList<string> Details, string Consequence);

/// <summary>What the estimates of a plan assume.</summary>
public sealed record PlanOptions
{
    /// <summary>Time between the events of a typical entity. Default 1 hour; more than 0.</summary>
    public TimeSpan TypicalEventGap { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How many of an entity there are, by its name. Default: none is said, and the store's size is not predicted.</summary>
    public IReadOnlyDictionary<string, long> Entities { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>How many there are of each entity that <see cref="Entities"/> does not name. Null (default): not said.</summary>
    public long? OtherEntities { get; init; }

    /// <summary>UTF-8 bytes of a string that an aggregate keeps, and of an entity's key. Default 16; at least 0.</summary>
    public int TextBytes { get; init; } = 16;

    /// <summary>Different values that a typical tile's count_distinct holds. Default 8; at least 0.</summary>
    public int TypicalDistinct { get; init; } = 8;
}
