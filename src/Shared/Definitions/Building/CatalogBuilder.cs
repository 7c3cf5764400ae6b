using System.Runtime.CompilerServices;

namespace StreamMl.Shared.Definitions.Building;

/// <summary>
/// Builds a catalogue in C#. The files of catalogues go through the same builder, so that both give the same definitions and hashes:
/// <code>
/// var catalog = new CatalogBuilder("flights")
///     .Source("landings", s => s.Schema(avsc, fields).EventTime("event_time").Key("origin"))
///     .Entity("origin", "origin")
///     .View("origin_landed", v => v.From("landings").Entity("origin").Derive("late", "arr_delay > 15")
///         .Features(Aggregate.Count, Aggregate.Mean("arr_delay"), "mean(late)").Windows("1h", "24h"))
///     .Service("arrival_delay", s => s.Features("origin_landed.*"))
///     .Build().Require();
/// </code>
/// Not thread-safe. Build once.
/// </summary>
public sealed class CatalogBuilder(string name = "catalog")
{
    private readonly List<SourceBuilder> sources = [];
    private readonly List<EntityDefinition> entities = [];
    private readonly List<ViewBuilder> views = [];
    private readonly List<ServiceBuilder> services = [];

    /// <summary>The catalogue's name.</summary>
    public string Name { get; set; } = name;

    public CatalogBuilder Source(string name, Action<SourceBuilder> define, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Source(name, define, Caller(file, line));

    public CatalogBuilder Source(string name, Action<SourceBuilder> define, SourceLocation at)
    {
        var source = new SourceBuilder(name, at);
        define(source);
        sources.Add(source);
        return this;
    }

    /// <summary>An entity and the names of its keys; none: the one global entity.</summary>
    public CatalogBuilder Entity(string name, params string[] keys) => Entity(name, keys, null);

    public CatalogBuilder Entity(string name, IReadOnlyList<string> keys, SourceLocation? at)
    {
        entities.Add(new EntityDefinition(name, keys, at));
        return this;
    }

    public CatalogBuilder View(string name, Action<ViewBuilder> define, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        View(name, define, Caller(file, line));

    public CatalogBuilder View(string name, Action<ViewBuilder> define, SourceLocation at)
    {
        var view = new ViewBuilder(name, at);
        define(view);
        views.Add(view);
        return this;
    }

    public CatalogBuilder Service(string name, Action<ServiceBuilder> define, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Service(name, define, Caller(file, line));

    public CatalogBuilder Service(string name, Action<ServiceBuilder> define, SourceLocation at)
    {
        var service = new ServiceBuilder(name, at);
        define(service);
        services.Add(service);
        return this;
    }

    /// <summary>The catalogue, with what could be found wrong without looking at types; the rest is validation's.</summary>
    public CatalogResult Build()
    {
        var findings = new Findings();
        var builtSources = sources.Select(s => s.Build(findings)).OfType<SourceDefinition>().ToList();
        var assembler = new ViewAssembler(builtSources, entities, findings);
        var builtViews = views.SelectMany(assembler.Assemble).ToList();
        var builtServices = services.Select(s => s.Build(builtViews, findings)).ToList();
        return new CatalogResult(new Catalog(Name, builtSources, [.. entities], builtViews, builtServices), findings.All);
    }

    // The file's name alone: a path would tell of the machine that compiled it.
    private static SourceLocation Caller(string file, int line) => new(Path.GetFileName(file), line, 1);
}
