using System.Text;
using Confluent.Kafka;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>The topic in which a log's transactions note what they sent: one partition for each of the log's, with one writer. Thread-safe.</summary>
internal sealed class SentNotes(string topic, LogExcerpts excerpts, TopicAdmin admin)
{
    /// <summary>Offsets from the end that are looked at first; a transaction takes two, its note and its marker.</summary>
    private const long FirstLook = 64;

    private const int Wider = 16;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>Others' open transactions end sooner, or their partitions' next owners end them.</summary>
    private static readonly TimeSpan OthersEnd = TimeSpan.FromSeconds(5);

    /// <summary>Only the last note counts, so the topic is compacted; its segments are small, for the open one is not.</summary>
    private static readonly Dictionary<string, string> Settings = new(StringComparer.Ordinal)
    {
        ["cleanup.policy"] = "compact",
        ["segment.ms"] = "3600000",
        ["segment.bytes"] = "16777216",
    };

    /// <summary>Makes the topic where it is not there.</summary>
    public static async Task<SentNotes> MakeAsync(string topic, int partitions, LogExcerpts excerpts, TopicAdmin admin, CancellationToken cancellationToken)
    {
        await admin.EnsureTopicAsync(topic, partitions, cancellationToken, Settings);
        return new SentNotes(topic, excerpts, admin);
    }

    /// <summary>Where this log partition's notes go.</summary>
    public PartitionId Of(PartitionId log) => new(topic, log.Partition);

    /// <summary>One key for all notes of a log partition.</summary>
    public static byte[] Key(PartitionId log) => Encoding.UTF8.GetBytes(log.ToString());

    /// <summary>The last notes: the last that readers see with all its records, and any after it, at least. Call when no transaction of the log partition is under way.</summary>
    public async Task<NoteTail> ReadAsync(PartitionId log, CancellationToken cancellationToken)
    {
        var notes = Of(log);
        var (low, stable) = await admin.OffsetsAsync(notes, cancellationToken);
        for (var look = FirstLook; ; look *= Wider)
        {
            var from = Math.Max(low, stable - look);
            var written = await ReadAsync(notes, from, IsolationLevel.ReadUncommitted, cancellationToken);
            var committed = written.Count == 0 ? [] : await ReadAsync(notes, from, IsolationLevel.ReadCommitted, cancellationToken);
            if (committed.Count == 0 && from > low)
                continue;
            return new NoteTail(await SeenAsync(committed, cancellationToken), written);
        }
    }

    // Of a transaction that lost some of its markers the note may be seen and its records not. Where another's transaction began before these records and is still open, they are not
    // seen either: that passes.
    private async Task<IReadOnlyList<SentNote>> SeenAsync(IReadOnlyList<SentNote> notes, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var ends = await admin.StableEndsAsync(notes.SelectMany(n => n.Spans).Select(s => s.Target).Distinct(), cancellationToken);
            var seen = notes.Where(n => n.Spans.All(s => ends[s.Target] >= s.End)).ToList();
            if (seen.Count == notes.Count || TimeProvider.System.GetElapsedTime(since) > OthersEnd)
                return seen;
            await Task.Delay(LookAgain, TimeProvider.System, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<SentNote>> ReadAsync(PartitionId notes, long from, IsolationLevel isolation, CancellationToken cancellationToken) =>
        [.. (await excerpts.ReadAsync(notes, from, long.MaxValue, isolation, cancellationToken)).Select(r => SentNote.Decode(r.Message.Value))];
}
