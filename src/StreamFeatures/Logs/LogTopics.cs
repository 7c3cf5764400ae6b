using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>The topics of some logs: their own and those of their dead letters.</summary>
internal static class LogTopics
{
    /// <summary>Makes those that are not there. Repartition and dead-letter topics have their source's partition count, so that one partition of each side has one owner's order.</summary>
    /// <returns>Partition counts by topic.</returns>
    /// <exception cref="InvalidOperationException">One is there with another partition count.</exception>
    public static async Task<IReadOnlyDictionary<string, int>> MakeAsync(TopicAdmin admin, IReadOnlyList<LogPlan> plans, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var plan in plans)
        {
            foreach (var topic in new[] { plan.Topic, LogNames.DeadLetterTopic(plan.Topic) })
            {
                await admin.EnsureTopicAsync(topic, plan.Source.Partitions, cancellationToken);
                counts[topic] = plan.Source.Partitions;
            }
        }

        return counts;
    }
}
