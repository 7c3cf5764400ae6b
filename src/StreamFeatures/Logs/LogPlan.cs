using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>A repartition topic that a source's records are copied to.</summary>
/// <param name="Topic">Its name.</param>
/// <param name="KeyFields">The fields of its key, in order.</param>
internal sealed record RouteTarget(string Topic, IReadOnlyList<string> KeyFields);

/// <summary>What the worker does with one log: the views that read it and, for a source topic, where its records are copied to. Immutable; thread-safe.</summary>
internal sealed class LogPlan
{
    private LogPlan(SourceDefinition source, string topic, IReadOnlyList<ViewProgram> views, IReadOnlyList<RouteTarget> routes, bool ownsLog = true)
    {
        OwnsLog = ownsLog;
        Source = source;
        Topic = topic;
        Views = views;
        Routes = routes;
        var needed = views.SelectMany(v => v.RequiredFields).Concat(routes.SelectMany(r => r.KeyFields)).ToHashSet(StringComparer.Ordinal);
        BatchSchema = source.Schema.Project(needed);
    }

    public SourceDefinition Source { get; }

    public string Topic { get; }

    /// <summary>All topics that are this source's or made from it: its logs, and each one's dead letters.</summary>
    public required IReadOnlyList<string> SourceTopics { get; init; }

    public bool IsRepartitioned => Topic != Source.Topic;

    /// <summary>
    /// Whether the log's own position, ledger, routes and dead letters are kept by this worker. False where views are built beside a worker that does:
    /// then nothing but the views' own states and positions is written.
    /// </summary>
    public bool OwnsLog { get; }

    public IReadOnlyList<ViewProgram> Views { get; }

    /// <summary>Empty for a repartition topic.</summary>
    public IReadOnlyList<RouteTarget> Routes { get; }

    /// <summary>The fields that are decoded: those that a view or a route reads.</summary>
    public EventSchema BatchSchema { get; }

    /// <summary>Store keys of the positions of one partition: the log's own first, if it is owned, then one per view.</summary>
    public IReadOnlyList<string> PositionKeys(PartitionId partition)
    {
        var views = Views.Select(v => LogNames.PositionKey(partition, v.View.Name, v.Hash8));
        return OwnsLog ? [LogNames.SourcePositionKey(partition), .. views] : [.. views];
    }

    /// <summary>What they are the positions of, in the same order: for messages.</summary>
    public IReadOnlyList<string> PositionNames => OwnsLog ? ["the log itself", .. Views.Select(VersionOf)] : [.. Views.Select(VersionOf)];

    private static string VersionOf(ViewProgram view) => $"{view.View.Name}@{view.Hash8}";

    /// <summary>Every source of the catalogue, so that each has a ledger and its bad records are dead-lettered, and the repartition topics that views need.</summary>
    /// <exception cref="DefinitionException">A view does not compile.</exception>
    public static IReadOnlyList<LogPlan> Of(Catalog catalog)
    {
        var plans = new List<LogPlan>();
        foreach (var source in catalog.Sources)
        {
            var byLog = catalog.Views.Where(v => v.Source == source.Name).Select(v => ViewProgram.Compile(v, source)).ToLookup(p => p.Log, StringComparer.Ordinal);
            var routes = byLog.Where(l => l.Key != source.Topic).Select(l => new RouteTarget(l.Key, l.First().View.KeyFields)).OrderBy(r => r.Topic, StringComparer.Ordinal).ToList();
            var topics = TopicsOf(catalog, source);
            plans.Add(new LogPlan(source, source.Topic, [.. byLog[source.Topic]], routes) { SourceTopics = topics });
            plans.AddRange(routes.Select(r => new LogPlan(source, r.Topic, [.. byLog[r.Topic]], []) { SourceTopics = topics }));
        }

        return plans;
    }

    /// <summary>The logs of some views, to be built beside a worker that owns the logs.</summary>
    /// <exception cref="DefinitionException">A view does not compile.</exception>
    public static IReadOnlyList<LogPlan> Beside(Catalog catalog, Func<ViewProgram, bool> isWanted) =>
    [
        .. catalog.Sources.SelectMany(source => catalog.ViewsOf(source).Select(v => ViewProgram.Compile(v, source)).Where(isWanted)
            .GroupBy(p => p.Log, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new LogPlan(source, g.Key, [.. g], [], ownsLog: false) { SourceTopics = TopicsOf(catalog, source) })),
    ];

    private static IReadOnlyList<string> TopicsOf(Catalog catalog, SourceDefinition source) =>
        [.. LogNames.LogsOf(catalog, source).Order(StringComparer.Ordinal).SelectMany(log => new[] { log, LogNames.DeadLetterTopic(log) })];
}
