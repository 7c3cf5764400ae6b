using System.Text;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Ingestors.Replay;

/// <summary>One worker's share that the replay waits for.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Key">Of its position in the store.</param>
/// <param name="Log">The log partition that it reads.</param>
/// <param name="Sources">For a view over a repartition log: the source partitions that write it; else empty.</param>
internal sealed record GateUnit(string Name, string Key, PartitionId Log, IReadOnlyList<PartitionId> Sources);

/// <summary>All units of a catalogue that hang on the sources of a replay, and the keys that one poll reads. Immutable but for the buffer of the keys.</summary>
internal sealed class GateUnits
{
    private readonly List<PartitionId> routed = [];

    public GateUnits(Catalog catalog, IReadOnlyCollection<string> sources, IReadOnlyList<string>? gateServices)
    {
        var units = new List<GateUnit>();
        foreach (var source in catalog.Sources.Where(s => sources.Contains(s.Name)))
        {
            var partitions = Enumerable.Range(0, source.Partitions).Select(p => new PartitionId(source.Topic, p)).ToList();
            var views = catalog.Views.Where(v => v.Source == source.Name).ToList();
            // Only the ledger hangs on the topic of a source without a view: no value is early where it is behind.
            if (views.Count > 0)
            {
                routed.AddRange(partitions);
                units.AddRange(partitions.Select(p => new GateUnit($"source {source.Name}, {p}", LogNames.SourcePositionKey(p), p, [])));
            }

            foreach (var view in views)
                units.AddRange(ViewUnits(ViewProgram.Compile(view, source), source, partitions));
            foreach (var service in catalog.Services.Where(s => s.Trigger == source.Name && gateServices?.Contains(s.Name) != false))
                units.AddRange(partitions.Select(p => new GateUnit($"service {service.Name}, {p}", LogNames.ServicePositionKey(p, service.Name), p, [])));
        }

        Units = units;
        foreach (var key in units.Select(u => u.Key).Concat(routed.Select(LogNames.RoutesKey)))
            Keys.Add(Encoding.UTF8.GetBytes(key));
    }

    public IReadOnlyList<GateUnit> Units { get; }

    /// <summary>Positions of <see cref="Units"/>, then the routes of source partitions.</summary>
    public PackedBytes Keys { get; } = new();

    /// <summary>The position of a unit; null where it has none yet.</summary>
    public static PositionRecord? Position(StoreValues values, int unit) => values.Has(unit) ? PositionRecord.Decode(values[unit]) : null;

    /// <summary>By source partition, the ends in its repartition topics.</summary>
    public Dictionary<PartitionId, Dictionary<string, long[]>> Routes(StoreValues values)
    {
        var routes = new Dictionary<PartitionId, Dictionary<string, long[]>>();
        for (var i = 0; i < routed.Count; i++)
            routes[routed[i]] = RoutesRecord.Decode(values[Units.Count + i]);
        return routes;
    }

    private static IEnumerable<GateUnit> ViewUnits(ViewProgram view, SourceDefinition source, IReadOnlyList<PartitionId> sources) =>
        view.Log == source.Topic ? [] // committed with the source's own unit
        : Enumerable.Range(0, source.Partitions).Select(p => new PartitionId(view.Log, p))
            .Select(p => new GateUnit($"view {view.View.Name}, {p}", LogNames.PositionKey(p, view.View.Name, view.Hash8), p, sources));
}
