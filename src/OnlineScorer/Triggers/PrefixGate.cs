using System.Text;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>
/// Waits until a service's views hold a prefix: by source partition, all records before an end. A view on the source's topic holds it when its own position
/// is there; a view on a repartition topic when the source's records were copied (the source unit's position is there) and its position has reached
/// what was copied (the routes, which are committed with that position). Not thread-safe.
/// </summary>
internal sealed class PrefixGate
{
    private readonly IStateStore store;
    private readonly TimeProvider time;
    private readonly TimeSpan poll;
    private readonly TimeSpan maxWait;
    private readonly List<SourceViews> sources;
    private readonly PackedBytes keys = new();

    public PrefixGate(ServedService service, IStateStore store, TriggerServingOptions options, TimeProvider time)
    {
        this.store = store;
        this.time = time;
        poll = TimeSpan.FromMilliseconds(options.PollMs);
        maxWait = TimeSpan.FromMilliseconds(options.MaxWaitMs);
        sources = [.. service.Views.GroupBy(v => v.View.Program.Source.Topic, StringComparer.Ordinal).Select(g => new SourceViews(g.First().View.Program.Source, [.. g]))];
    }

    /// <summary>The source partitions whose records reach the service's views.</summary>
    public IReadOnlyList<PartitionId> SourcePartitions => [.. sources.SelectMany(s => Enumerable.Range(0, s.Source.Partitions).Select(p => new PartitionId(s.Source.Topic, p)))];

    /// <summary>Returns what is still missing when the wait ended, one line per lagging unit; empty: nothing is.</summary>
    /// <param name="ends">By source partition, one past the last record that must be in; partitions that do not feed the service are ignored.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyList<string>> WaitAsync(IReadOnlyDictionary<PartitionId, long> ends, CancellationToken cancellationToken)
    {
        var wanted = sources.SelectMany(s => Enumerable.Range(0, s.Source.Partitions).Select(p => new PartitionId(s.Source.Topic, p)))
            .Where(p => ends.GetValueOrDefault(p) > 0).ToDictionary(p => p, p => ends[p]);
        if (wanted.Count == 0)
            return [];
        MakeKeys(wanted);
        var started = time.GetTimestamp();
        while (true)
        {
            using var values = await store.ReadAsync(keys, cancellationToken);
            var lagging = FindLagging(wanted, values);
            if (lagging.Count == 0 || time.GetElapsedTime(started) >= maxWait)
                return lagging;
            await ShortPause.WaitAsync(poll, time, cancellationToken);
        }
    }

    // The order matters on a store that answers key by key: source units first, then what was copied, then the views, so that each is at least as new as
    // what it is compared with.
    private void MakeKeys(Dictionary<PartitionId, long> wanted)
    {
        keys.Clear();
        foreach (var partition in wanted.Keys)
            keys.Add(Encoding.UTF8.GetBytes(LogNames.SourcePositionKey(partition)));
        foreach (var partition in wanted.Keys)
            keys.Add(Encoding.UTF8.GetBytes(LogNames.RoutesKey(partition)));
        foreach (var view in sources.SelectMany(s => s.Views))
        {
            for (var p = 0; p < view.Partitions; p++)
                keys.Add(view.PositionKey(p));
        }
    }

    private List<string> FindLagging(Dictionary<PartitionId, long> wanted, StoreValues values)
    {
        var lagging = new List<string>();
        var routes = new Dictionary<PartitionId, Dictionary<string, long[]>>();
        var at = 0;
        foreach (var (partition, end) in wanted)
        {
            Compare(lagging, $"source {partition}", NextOffset(values, at), end);
            routes.Add(partition, RoutesRecord.Decode(values[wanted.Count + at]));
            at++;
        }

        at = wanted.Count * 2;
        foreach (var source in sources)
        {
            foreach (var view in source.Views)
            {
                for (var p = 0; p < view.Partitions; p++)
                    Compare(lagging, $"view {view.Name} on {view.Log}/{p}", NextOffset(values, at++), EndOf(source.Source, view, p, wanted, routes));
            }
        }

        return lagging;
    }

    private static long EndOf(
        SourceDefinition source, ServedView view, int partition, Dictionary<PartitionId, long> wanted, Dictionary<PartitionId, Dictionary<string, long[]>> routes)
    {
        if (view.Log == source.Topic)
            return wanted.GetValueOrDefault(new PartitionId(source.Topic, partition));
        var end = 0L;
        foreach (var (from, copied) in routes)
        {
            if (from.Topic == source.Topic && copied.TryGetValue(view.Log, out var ends) && partition < ends.Length)
                end = Math.Max(end, ends[partition]);
        }

        return end;
    }

    private static long NextOffset(StoreValues values, int index) => values.Has(index) ? PositionRecord.Decode(values[index]).NextOffset : 0;

    private static void Compare(List<string> lagging, string unit, long at, long end)
    {
        if (at < end)
            lagging.Add($"{unit} at {at} of {end}");
    }

    private sealed record SourceViews(SourceDefinition Source, IReadOnlyList<ServedView> Views);
}
