using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>
/// A transactional producer per log partition, made when its pipeline has something to send. Notes of what was sent belong to the topics as they are: once one of
/// them was recreated, or another route was added, there are none. Thread-safe; dispose when no pipeline is left.
/// </summary>
internal sealed partial class KafkaOutboxes(KafkaEndpoint kafka, string groupId, IReadOnlyDictionary<string, int> partitionCounts, ILogger<KafkaOutboxes> logger) : IOutboxes, IDisposable
{
    private readonly TopicAdmin admin = new(kafka);
    private readonly LogExcerpts excerpts = new(kafka);
    private readonly ConcurrentDictionary<string, Lazy<Task<SentNotes>>> notes = new(StringComparer.Ordinal);

    public int PartitionCount(string topic) => partitionCounts[topic];

    public IOutbox Open(LogPlan plan, PartitionId partition, long nextOffset)
    {
        var transactions = new KafkaTransactions(
            kafka, $"{groupId}/{partition}", partition, token => NotesAsync(plan, token), excerpts, admin, records => SentAgain(logger, records, partition));
        return new TransactionalOutbox(transactions, nextOffset, plan.Routes.Count > 0);
    }

    public void Dispose() => admin.Dispose();

    /// <summary>Where the transactions of this log note what they sent.</summary>
    internal async Task<SentNotes> NotesAsync(LogPlan plan, CancellationToken cancellationToken)
    {
        var made = notes.GetOrAdd(plan.Topic, _ => new Lazy<Task<SentNotes>>(() => MakeAsync(plan, CancellationToken.None)));
        try
        {
            return await made.Value.WaitAsync(cancellationToken);
        }
        catch (Exception) when (made.Value.IsFaulted)
        {
            notes.TryRemove(KeyValuePair.Create(plan.Topic, made));
            throw;
        }
    }

    private async Task<SentNotes> MakeAsync(LogPlan plan, CancellationToken cancellationToken)
    {
        var topics = new StringBuilder();
        foreach (var topic in plan.Routes.Select(r => r.Topic).Prepend(LogNames.DeadLetterTopic(plan.Topic)).Prepend(plan.Topic))
            topics.Append(topic).Append('=').Append((await admin.DescribeAsync(topic, cancellationToken)).Id).Append('\n');
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(topics.ToString()));
        return await SentNotes.MakeAsync($"{groupId}.sent.{Convert.ToHexStringLower(hash.AsSpan(0, 8))}", plan.Source.Partitions, excerpts, admin, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Log}: sent {Records} records again that readers did not see although their transaction was complete: its broker was away while it was carried out")]
    private static partial void SentAgain(ILogger logger, int records, PartitionId log);
}
