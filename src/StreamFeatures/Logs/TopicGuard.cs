using System.Text;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Rebuilding;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>
/// Holds positions to the topic that they were made on: see <see cref="TopicRecord"/>. And says where a topic begins now, and what retention took where a position is
/// no longer in its topic. Thread-safe.
/// </summary>
/// <param name="admin">Asks Kafka.</param>
/// <param name="store">Has the positions.</param>
/// <param name="archive">Where the logs' archive would be; null: nobody knows of one.</param>
internal sealed class TopicGuard(TopicAdmin admin, IStateStore store, ArchiveLayout? archive = null)
{
    /// <summary>
    /// Compares with what was noted when partitions of the log were first claimed, those of all partitions, and with the catalogue; where nothing was, notes it, if the log is owned. Then looks where these
    /// partitions begin.
    /// </summary>
    /// <exception cref="TopicChangedException">The topic was recreated, or has another partition count.</exception>
    public async Task<IReadOnlyDictionary<PartitionId, LogEdge>> LookAsync(LogPlan plan, IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken)
    {
        var now = await CheckAsync(plan, partitions, cancellationToken);
        var edges = new Dictionary<PartitionId, LogEdge>();
        foreach (var (partition, first) in await admin.FirstOffsetsAsync(partitions, cancellationToken))
            edges[partition] = first == 0 ? LogEdge.Whole : new LogEdge(first, await KnownBeforeAsync(plan, partition, first, now, cancellationToken));
        return edges;
    }

    /// <summary>The first half of <see cref="LookAsync"/>. Answers what the topic is now.</summary>
    /// <exception cref="TopicChangedException">The topic was recreated, or has another partition count.</exception>
    public async Task<TopicRecord> CheckAsync(LogPlan plan, IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken)
    {
        var now = await admin.DescribeAsync(plan.Topic, cancellationToken);
        // The group may know of a new partition before the broker that was asked does.
        now = now with { Partitions = Math.Max(now.Partitions, partitions.Max(p => p.Partition) + 1) };
        var all = Enumerable.Range(0, Math.Max(now.Partitions, plan.Source.Partitions)).Select(p => new PartitionId(plan.Topic, p)).ToList();
        using var values = await store.ReadAsync(all.Select(LogNames.TopicKey), cancellationToken);
        foreach (var partition in all)
        {
            if (TopicRecord.Decode(values[partition.Partition]) is { } noted)
                Compare(plan, noted, now);
        }

        if (now.Partitions != plan.Source.Partitions)
            throw new TopicChangedException(PartitionCounts.Changed(plan, now.Partitions, $"the catalogue says {plan.Source.Partitions}"));
        foreach (var partition in partitions.Where(p => plan.OwnsLog && !values.Has(p.Partition)))
            await NoteAsync(partition, now, cancellationToken);
        return now;
    }

    /// <summary>Whether an archive was written from the topic as it is now; one that does not say (older ones, the embedded Kafka's) is believed.</summary>
    /// <exception cref="HandOverException">It was written from a topic that was deleted since.</exception>
    public async Task CheckArchiveAsync(LogPlan plan, ArchiveLayout layout, CancellationToken cancellationToken) =>
        CompareArchive(plan.Topic, layout.Directory, layout.Topic(plan.Topic), await admin.DescribeAsync(plan.Topic, cancellationToken));

    /// <summary>
    /// What a partition that a worker held should count and its topic no longer has; null: nothing. A position that the store has lost is written down where its counting
    /// had begun: so that whoever claims next is told as well.
    /// </summary>
    /// <exception cref="TopicChangedException">A position is past its topic's end.</exception>
    public async Task<LostRange?> LossAsync(LogPlan plan, PartitionId partition, Claim held, CancellationToken cancellationToken)
    {
        var (low, high) = await admin.OffsetsAsync(partition, cancellationToken);
        var next = await LeastAsync(plan, partition, cancellationToken)
            ?? (await Claim.TakeAsync(store, plan, partition, new LogEdge(low, []), held, cancellationToken)).Least.NextOffset;
        if (next > high)
            throw new TopicChangedException($"the store stands at offset {next} of {partition} and the topic ends before offset {high}: it was recreated or truncated. {Remedy}");
        return new LogEdge(low, []).LossOf(partition, next);
    }

    internal static void Compare(LogPlan plan, TopicRecord noted, TopicRecord now)
    {
        if (noted.Partitions != now.Partitions)
            throw new TopicChangedException(PartitionCounts.Changed(plan, now.Partitions, $"the store's states were made from {noted.Partitions}"));
        if (!noted.IsSameAs(now))
            throw new TopicChangedException($"topic '{plan.Topic}' was recreated: its id is {now.Id}, and the store's positions belong to {noted.Id}, whose offsets mean nothing here. {Remedy}");
    }

    internal static void CompareArchive(string topic, string directory, TopicRecord? archived, TopicRecord now)
    {
        // The partition count has its own message.
        if (archived is null || archived.Partitions != now.Partitions || archived.IsSameAs(now))
            return;
        throw new HandOverException(
            $"the archive of '{topic}' in {directory} was written from another topic of that name: that one's id was {archived.Id}, and the topic's is {now.Id}, "
            + "so it was recreated since, and its offsets are other records. Replay the source into the new topic, archive it into another directory "
            + "(`streamml archive` with another --dir), and rebuild from there (`--archive` names its archive); or `streamml reset --all --yes`, "
            + "so that every view starts anew on the topic as it is");
    }

    private const string Remedy =
        "Replay the source into it (or let it fill), archive it into another directory, and run `streamml reset --all --yes`, so that every view starts anew on the topic as it is";

    /// <summary>By position: whether a store or an archive has, or had, what is before the partition's first offset. Versions that are built beside others never begin late.</summary>
    private async Task<IReadOnlyList<bool>> KnownBeforeAsync(LogPlan plan, PartitionId partition, long first, TopicRecord now, CancellationToken cancellationToken)
    {
        var isKnown = !plan.OwnsLog || IsArchivedBefore(partition, first, now);
        var known = Enumerable.Repeat(isKnown, plan.PositionNames.Count).ToArray();
        if (isKnown)
            return known;
        var others = Enumerable.Range(0, now.Partitions).Where(p => p != partition.Partition).Select(p => new PartitionId(plan.Topic, p));
        using var values = await store.ReadAsync(others.SelectMany(plan.PositionKeys), cancellationToken);
        for (var i = 0; i < values.Count; i++)
            known[i % known.Length] |= values.Has(i) && PositionRecord.Decode(values[i]) is { FromOffset: 0, NextOffset: > 0 };
        return known;
    }

    private bool IsArchivedBefore(PartitionId partition, long first, TopicRecord now) =>
        archive is not null && archive.Files(partition) is [var oldest, ..] && oldest.FirstOffset < first && (archive.Topic(partition.Topic)?.IsSameAs(now) ?? true);

    /// <summary>Null where the store has not all of the positions.</summary>
    private async Task<long?> LeastAsync(LogPlan plan, PartitionId partition, CancellationToken cancellationToken)
    {
        using var values = await store.ReadAsync(plan.PositionKeys(partition), cancellationToken);
        var all = Enumerable.Range(0, values.Count).ToList();
        return all.TrueForAll(values.Has) ? all.Min(i => PositionRecord.Decode(values[i]).NextOffset) : null;
    }

    private async Task NoteAsync(PartitionId partition, TopicRecord now, CancellationToken cancellationToken)
    {
        var key = Encoding.UTF8.GetBytes(LogNames.TopicKey(partition));
        var commit = new StoreCommit(partition);
        commit.Expect(key, null);
        commit.Set(key, now.Encode());
        // Refused: another worker was faster to note it. Ambiguous: the next claim reads what came of it.
        await store.CommitAsync(commit, cancellationToken);
    }
}
