using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>
/// A transactional producer per log partition, made when its pipeline has something to send. Notes of what was sent belong to the topics as they are: once one of
/// them was recreated, or another route was added, there are none. Thread-safe; dispose when no pipeline is left.
/// </summary>
internal sealed class KafkaOutboxes(KafkaEndpoint kafka, string groupId, IReadOnlyDictionary<string, int> partitionCounts) : IOutboxes, IDisposable
{
    private readonly TopicAdmin admin = new(kafka);
    private readonly ConcurrentDictionary<string, Lazy<Task<GroupMarks>>> marks = new(StringComparer.Ordinal);

    public int PartitionCount(string topic) => partitionCounts[topic];

    public IOutbox Open(LogPlan plan, PartitionId partition, long nextOffset) =>
        new TransactionalOutbox(new KafkaTransactions(kafka, $"{groupId}/{partition}", partition, token => MarksAsync(plan, token), admin), nextOffset);

    public void Dispose()
    {
        foreach (var made in marks.Values.Where(m => m is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }))
            made.Value.Result.Dispose();
        admin.Dispose();
    }

    private async Task<GroupMarks> MarksAsync(LogPlan plan, CancellationToken cancellationToken)
    {
        var made = marks.GetOrAdd(plan.Topic, _ => new Lazy<Task<GroupMarks>>(() => MakeAsync(plan, CancellationToken.None)));
        try
        {
            return await made.Value.WaitAsync(cancellationToken);
        }
        catch (Exception) when (made.Value.IsFaulted)
        {
            marks.TryRemove(KeyValuePair.Create(plan.Topic, made));
            throw;
        }
    }

    private async Task<GroupMarks> MakeAsync(LogPlan plan, CancellationToken cancellationToken)
    {
        var topics = new StringBuilder();
        foreach (var topic in plan.Routes.Select(r => r.Topic).Prepend(LogNames.DeadLetterTopic(plan.Topic)).Prepend(plan.Topic))
            topics.Append(topic).Append('=').Append((await admin.DescribeAsync(topic, cancellationToken)).Id).Append('\n');
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(topics.ToString()));
        return new GroupMarks(kafka, $"{groupId}.sent.{Convert.ToHexStringLower(hash.AsSpan(0, 8))}");
    }
}
