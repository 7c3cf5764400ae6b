using System.Text;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Rebuilding;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>
/// Holds positions to the topic that they were made on: see <see cref="TopicRecord"/>. And says what retention took, where a position is no longer in
/// its topic. Thread-safe.
/// </summary>
internal sealed class TopicGuard(TopicAdmin admin, IStateStore store)
{
    /// <summary>Compares with what was noted when the partition was first claimed; where nothing was, notes it, if the log is owned.</summary>
    /// <exception cref="TopicChangedException">The topic was recreated, or has another partition count.</exception>
    public async Task CheckAsync(LogPlan plan, IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken)
    {
        var now = await admin.DescribeAsync(plan.Topic, cancellationToken);
        var keys = new PackedBytes();
        foreach (var partition in partitions)
            keys.Add(Encoding.UTF8.GetBytes(LogNames.TopicKey(partition)));
        using var values = await store.ReadAsync(keys, cancellationToken);
        for (var i = 0; i < partitions.Count; i++)
        {
            if (TopicRecord.Decode(values[i]) is { } noted)
                Compare(plan.Topic, noted, now);
            else if (plan.OwnsLog)
                await NoteAsync(partitions[i], keys[i].ToArray(), now, cancellationToken);
        }
    }

    /// <summary>Whether an archive was written from the topic as it is now; one that does not say (older ones, the embedded Kafka's) is believed.</summary>
    /// <exception cref="HandOverException">It was written from a topic that was deleted since.</exception>
    public async Task CheckArchiveAsync(LogPlan plan, ArchiveLayout layout, CancellationToken cancellationToken) =>
        CompareArchive(plan.Topic, layout.Directory, layout.Topic(plan.Topic), await admin.DescribeAsync(plan.Topic, cancellationToken));

    /// <summary>The ranges between positions and topics; empty where every position is in its topic.</summary>
    /// <exception cref="TopicChangedException">A position is past its topic's end.</exception>
    public async Task<IReadOnlyList<LostRange>> LossesAsync(LogPlan plan, IReadOnlyList<PartitionId> partitions, CancellationToken cancellationToken)
    {
        var losses = new List<LostRange>();
        foreach (var partition in partitions)
        {
            var keys = new PackedBytes();
            foreach (var key in plan.PositionKeys(partition))
                keys.Add(Encoding.UTF8.GetBytes(key));
            using var values = await store.ReadAsync(keys, cancellationToken);
            var (low, high) = await admin.OffsetsAsync(partition, cancellationToken);
            // A view without history starts wherever the log does.
            foreach (var next in Enumerable.Range(0, keys.Count).Where(values.Has).Select(i => PositionRecord.Decode(values[i]).NextOffset).Where(n => n > 0).Order().Take(1))
            {
                if (next > high)
                    throw new TopicChangedException($"the store stands at offset {next} of {partition} and the topic ends before offset {high}: it was recreated or truncated. {Remedy}");
                if (next < low)
                    losses.Add(new LostRange(partition, next, low));
            }
        }

        return losses;
    }

    internal static void Compare(string topic, TopicRecord noted, TopicRecord now)
    {
        if (noted.Partitions != now.Partitions)
            throw new TopicChangedException($"topic '{topic}' has {now.Partitions} partitions, and the store's states were made from {noted.Partitions}: entities live elsewhere now. {Remedy}");
        if (!noted.IsSameAs(now))
            throw new TopicChangedException($"topic '{topic}' was recreated: its id is {now.Id}, and the store's positions belong to {noted.Id}, whose offsets mean nothing here. {Remedy}");
    }

    internal static void CompareArchive(string topic, string directory, TopicRecord? archived, TopicRecord now)
    {
        // The partition count has its own message.
        if (archived is not null && archived.Partitions == now.Partitions && !archived.IsSameAs(now))
            throw new HandOverException($"the archive of '{topic}' in {directory} was written from another topic of that name: that one's id was {archived.Id}, and the topic's is {now.Id}, so it was recreated since, and its offsets are other records. Replay the source into the new topic, archive it into another directory (`streamml archive` with another --dir), and rebuild from there (`--archive` names its archive); or `streamml reset --all --yes`, so that every view starts anew on the topic as it is");
    }

    private const string Remedy = "Replay the source into it (or let it fill), archive it into another directory, and run `streamml reset --all --yes`, so that every view starts anew on the topic as it is";

    private async Task NoteAsync(PartitionId partition, byte[] key, TopicRecord now, CancellationToken cancellationToken)
    {
        var commit = new StoreCommit(partition);
        commit.Expect(key, null);
        commit.Set(key, now.Encode());
        // Refused: another worker was faster to note it. Ambiguous: the next claim reads what came of it.
        await store.CommitAsync(commit, cancellationToken);
    }
}
