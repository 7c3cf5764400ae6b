using System.Text;
using Confluent.Kafka;
using StreamMl.FeatureEngine.Views;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Cli.Demo;

/// <summary>How far every worker is behind what the topics hold.</summary>
internal sealed class Caught : IDisposable
{
    private readonly Catalog catalog;
    private readonly Installation installation;
    private readonly IConsumer<Ignore, Ignore> consumer;
    private readonly ArchiveLayout archive;

    public Caught(Catalog catalog, Installation installation)
    {
        (this.catalog, this.installation) = (catalog, installation);
        archive = new ArchiveLayout(installation.Options.ArchiveDirectory);
        consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = installation.Kafka.BootstrapServers, GroupId = "streamml.look" }).Build();
        Logs = [.. catalog.Sources.SelectMany(s => catalog.Views.Where(v => v.Source == s.Name).Select(v => LogNames.LogOf(s, v)).Append(s.Topic)
            .Distinct(StringComparer.Ordinal).SelectMany(l => Enumerable.Range(0, s.Partitions).Select(p => new PartitionId(l, p))))];
        Read = [.. Logs.Where(l => catalog.Views.Any(v => ViewProgram.Compile(v, catalog.Source(v.Source)).Log == l.Topic || catalog.Source(v.Source).Topic == l.Topic))];
    }

    /// <summary>Makes the topics that are not there yet: the workers start at their own pace, and a topic that is missing cannot be asked for its end.</summary>
    public static async Task MakeTopicsAsync(Catalog catalog, Installation installation, CancellationToken stop)
    {
        using var admin = new TopicAdmin(installation.Kafka);
        foreach (var source in catalog.Sources)
        {
            foreach (var topic in catalog.Views.Where(v => v.Source == source.Name).Select(v => LogNames.LogOf(source, v)).Append(source.Topic).Distinct(StringComparer.Ordinal))
                await admin.EnsureTopicAsync(topic, source.Partitions, stop);
        }
    }

    /// <summary>Every partition of every log.</summary>
    public IReadOnlyList<PartitionId> Logs { get; }

    /// <summary>Those that the stream worker reads.</summary>
    public IReadOnlyList<PartitionId> Read { get; }

    /// <summary>Records that the stream worker, the trigger services and the archiver have still to take; 0: all have caught up.</summary>
    public async Task<(long Stream, long Triggers, long Archive)> LagAsync(CancellationToken stop)
    {
        var ends = Logs.ToDictionary(l => l, l => consumer.QueryWatermarkOffsets(new TopicPartition(l.Topic, l.Partition), TimeSpan.FromSeconds(10)).High.Value);
        var stream = await NextOffsetsAsync(Read, LogNames.SourcePositionKey, stop);
        long triggers = 0;
        foreach (var service in catalog.Services.Where(s => s.Trigger is not null))
        {
            var topic = catalog.Source(service.Trigger!).Topic;
            IReadOnlyList<PartitionId> logs = [.. Logs.Where(l => l.Topic == topic)];
            var next = await NextOffsetsAsync(logs, l => $"{LogNames.HashTag(l)}service.{service.Name}!pos", stop);
            triggers += logs.Select((l, i) => Math.Max(0, ends[l] - next[i])).Sum();
        }

        var archived = Logs.Sum(l => Math.Max(0, ends[l] - (archive.Files(l) is [.., var last] ? last.LastOffset + 1 : 0)));
        return (Read.Select((l, i) => Math.Max(0, ends[l] - stream[i])).Sum(), triggers, archived);
    }

    /// <summary>The ledgers and positions that the store keeps.</summary>
    public async Task<IReadOnlyList<SavedLedger>> LedgersAsync(CancellationToken stop)
    {
        var next = await NextOffsetsAsync(Read, LogNames.SourcePositionKey, stop);
        using var values = await ReadAsync(Read.Select(LogNames.LedgerKey), stop);
        return [.. Read.Select((l, i) => new SavedLedger(l.Topic, l.Partition, next[i], LedgerRecord.Decode(values[i])))];
    }

    public void Dispose() => consumer.Dispose();

    private async Task<long[]> NextOffsetsAsync(IReadOnlyList<PartitionId> logs, Func<PartitionId, string> key, CancellationToken stop)
    {
        using var values = await ReadAsync(logs.Select(key), stop);
        return [.. logs.Select((_, i) => values[i].IsEmpty ? 0 : PositionRecord.Decode(values[i]).NextOffset)];
    }

    private Task<StoreValues> ReadAsync(IEnumerable<string> names, CancellationToken stop)
    {
        var keys = new PackedBytes();
        foreach (var name in names)
            keys.Add(Encoding.UTF8.GetBytes(name));
        return installation.Store.ReadAsync(keys, stop);
    }
}
