using System.Globalization;
using StreamMl.Shared.Log;

namespace StreamMl.Shared.Definitions;

/// <summary>A version of a view that has a position in the store.</summary>
/// <param name="Log">A log partition that it reads.</param>
/// <param name="View">Its name.</param>
/// <param name="Hash8">First 8 hex digits of its definition's hash.</param>
public sealed record StoredView(PartitionId Log, string View, string Hash8);

/// <summary>What servers hold of catalogues that ran on them. A part that could not be asked is null, and nothing is said about it.</summary>
/// <param name="Views">Every view version in the store, a line per log partition.</param>
/// <param name="Schemas">By topic, the newest Avro schema in the registry; topics without one are absent.</param>
/// <param name="Partitions">By topic, how many partitions Kafka has; topics that are not there are absent.</param>
public sealed record RunningState(
    IReadOnlyList<StoredView>? Views, IReadOnlyDictionary<string, string>? Schemas, IReadOnlyDictionary<string, int>? Partitions)
{
    /// <summary>The store's memory; null where it was not asked, or does not say.</summary>
    public StoreMemory? Memory { get; init; }
}

/// <summary>A store's memory, of all its primaries together.</summary>
/// <param name="Used">Bytes.</param>
/// <param name="Limit">Bytes at which it takes no more: <c>maxmemory</c> or, where a primary has none, its machine's.</param>
/// <param name="IsMachines">No <c>maxmemory</c> is set: the limit is the machines' own memory, which they share with all else on them.</param>
public sealed record StoreMemory(long Used, long Limit, bool IsMachines)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsMachines ? "no maxmemory on machines of" : "maxmemory")} {Limit / 1e6:0.#} MB, {Used / 1e6:0.#} MB of it used");
}
