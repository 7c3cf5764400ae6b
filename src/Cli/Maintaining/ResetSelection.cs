using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Maintaining;

/// <summary>Which keys of the store a reset is about. Never another installation's: only logs of the catalogue's sources. Immutable; thread-safe.</summary>
internal sealed class ResetSelection
{
    private readonly Func<StoreKey, bool> wanted;

    private ResetSelection(Func<StoreKey, bool> wanted) => this.wanted = wanted;

    public bool Has(StoreKey key) => wanted(key);

    /// <summary>The positions, of every partition: whether the store has them or not. Empty for old versions.</summary>
    public IReadOnlyList<(PartitionId Log, string Key)> Positions { get; private init; } = [];

    /// <summary>The named views as this catalogue defines them.</summary>
    /// <exception cref="ArgumentException">The catalogue has no such view.</exception>
    public static ResetSelection Views(Catalog catalog, IReadOnlyList<string> names)
    {
        foreach (var name in names.Where(n => catalog.Views.All(v => v.Name != n)))
            throw new ArgumentException($"the catalogue has no view '{name}'; it has {string.Join(", ", catalog.Views.Select(v => v.Name))}");
        var versions = VersionsOf(catalog).Where(v => names.Contains(v.View, StringComparer.Ordinal)).ToHashSet();
        return new ResetSelection(key => key.Kind != StoreKeyKind.Anew && versions.Contains((key.Log.Topic, key.View, key.Hash8))) { Positions = [.. PositionsOf(catalog, versions)] };
    }

    /// <summary>Every view of this catalogue, and the positions, ledgers and routes of its logs.</summary>
    public static ResetSelection All(Catalog catalog)
    {
        var versions = VersionsOf(catalog);
        var logs = catalog.Sources.SelectMany(s => LogNames.LogsOf(catalog, s)).ToHashSet(StringComparer.Ordinal);
        return new ResetSelection(key => key.Kind is not (StoreKeyKind.ServicePosition or StoreKeyKind.Anew)
            && (key.View.Length > 0 ? versions.Contains((key.Log.Topic, key.View, key.Hash8)) : logs.Contains(key.Log.Topic)))
        {
            Positions = [.. LogNames.PartitionsOf(catalog, catalog.Sources).Select(p => (p, LogNames.SourcePositionKey(p))), .. PositionsOf(catalog, versions)],
        };
    }

    /// <summary>Versions of views that none of the catalogues names, on logs of their sources.</summary>
    public static ResetSelection Old(IReadOnlyList<Catalog> catalogs)
    {
        var versions = catalogs.SelectMany(VersionsOf).ToHashSet();
        var topics = catalogs.SelectMany(c => c.Sources).Select(s => s.Topic).ToHashSet(StringComparer.Ordinal);
        return new ResetSelection(key => key.View.Length > 0 && IsOf(topics, key.Log.Topic) && !versions.Contains((key.Log.Topic, key.View, key.Hash8)));
    }

    private static HashSet<(string Log, string View, string Hash8)> VersionsOf(Catalog catalog) =>
        [.. ViewProgram.CompileAll(catalog).Select(p => (p.Log, p.View.Name, p.Hash8))];

    private static IEnumerable<(PartitionId Log, string Key)> PositionsOf(Catalog catalog, HashSet<(string Log, string View, string Hash8)> versions) =>
        LogNames.PartitionsOf(catalog, catalog.Sources).SelectMany(p => versions.Where(v => v.Log == p.Topic).Select(v => (p, LogNames.PositionKey(p, v.View, v.Hash8))));

    private static bool IsOf(HashSet<string> topics, string log)
    {
        var by = log.IndexOf(".by.", StringComparison.Ordinal);
        return topics.Contains(log) || (by > 0 && topics.Contains(log[..by]));
    }
}
