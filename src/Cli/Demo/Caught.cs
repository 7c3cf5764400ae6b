using System.Text;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Cli.Demo;

/// <summary>How far every worker is behind what the topics hold.</summary>
internal sealed class Caught
{
    private static readonly TimeSpan ClaimPause = TimeSpan.FromMilliseconds(20);

    private readonly Catalog catalog;
    private readonly Installation installation;
    private readonly ITopicEnds topicEnds;
    private readonly IReadOnlyList<string>? sinks;
    private readonly ArchiveLayout archive;
    private readonly IReadOnlyList<PartitionId> logs;

    /// <param name="catalog">Its logs and services.</param>
    /// <param name="installation">Where they are.</param>
    /// <param name="topicEnds">Asks Kafka.</param>
    /// <param name="sinks">Sinks of the trigger services, which have caught up when what they wrote is durable; null: no service is served.</param>
    public Caught(Catalog catalog, Installation installation, ITopicEnds topicEnds, IReadOnlyList<string>? sinks)
    {
        (this.catalog, this.installation, this.topicEnds, this.sinks) = (catalog, installation, topicEnds, sinks);
        archive = new ArchiveLayout(installation.Options.ArchiveDirectory);
        logs = LogNames.PartitionsOf(catalog, catalog.Sources);
    }

    public bool ServesTriggers => sinks is not null;

    /// <summary>Makes the topics that are not there yet: the workers start at their own pace, and a topic that is missing cannot be asked for its end.</summary>
    public static async Task MakeTopicsAsync(Catalog catalog, Installation installation, CancellationToken stop)
    {
        using var admin = new TopicAdmin(installation.Kafka);
        foreach (var source in catalog.Sources)
        {
            foreach (var topic in LogNames.LogsOf(catalog, source))
                await admin.EnsureTopicAsync(topic, source.Partitions, stop);
        }
    }

    /// <summary>Records that the stream worker, the trigger services and the archiver have still to take; 0: all have caught up.</summary>
    public async Task<(long Stream, long Triggers, long Archive)> LagAsync(CancellationToken stop)
    {
        var at = await topicEnds.EndsAsync(logs, stop);
        var ends = logs.Zip(at).ToDictionary(l => l.First, l => l.Second);
        var stream = await BehindAsync(logs, LogNames.SourcePositionKey, ends, stop);
        long triggers = 0;
        foreach (var service in catalog.Services.Where(s => s.Trigger is not null && sinks is not null))
        {
            var topic = catalog.Source(service.Trigger!).Topic;
            foreach (var name in sinks!.Select(s => $"{service.Name}.{s}").Prepend(service.Name))
                triggers = Math.Max(triggers, await BehindAsync([.. logs.Where(l => l.Topic == topic)], l => LogNames.ServicePositionKey(l, name), ends, stop));
        }

        return (stream, triggers, logs.Sum(l => Math.Max(0, ends[l] - (archive.Files(l) is [.., var last] ? last.LastOffset + 1 : 0))));
    }

    /// <summary>Returns when every trigger partition of the service has an owner.</summary>
    public static async Task ClaimedAsync(Catalog catalog, IStateStore store, string service, CancellationToken stop)
    {
        var trigger = catalog.Source(catalog.Service(service).Trigger!);
        var keys = new PackedBytes();
        for (var p = 0; p < trigger.Partitions; p++)
            keys.Add(Encoding.UTF8.GetBytes(LogNames.ServicePositionKey(new PartitionId(trigger.Topic, p), service)));
        while (true)
        {
            using var values = await store.ReadAsync(keys, stop);
            if (Enumerable.Range(0, trigger.Partitions).All(p => values.Has(p)))
                return;
            await Task.Delay(ClaimPause, TimeProvider.System, stop);
        }
    }

    private async Task<long> BehindAsync(IReadOnlyList<PartitionId> partitions, Func<PartitionId, string> key, Dictionary<PartitionId, long> ends, CancellationToken stop)
    {
        using var values = await installation.Store.ReadAsync(partitions.Select(key), stop);
        return partitions.Select((p, i) => Math.Max(0, ends[p] - (values[i].IsEmpty ? 0 : PositionRecord.Decode(values[i]).NextOffset))).Sum();
    }
}
