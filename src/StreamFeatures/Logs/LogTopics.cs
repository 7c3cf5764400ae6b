using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Logs;

/// <summary>The topics of some logs: their own and those of their dead letters.</summary>
internal static class LogTopics
{
    /// <summary>Makes those that are not there. Repartition and dead-letter topics have their source's partition count, so that one partition of each side has one owner's order.</summary>
    /// <returns>Partition counts by topic.</returns>
    /// <exception cref="SetupException">Some are there with another partition count; the message names all of a source.</exception>
    public static async Task<IReadOnlyDictionary<string, int>> MakeAsync(TopicAdmin admin, IReadOnlyList<LogPlan> plans, CancellationToken cancellationToken)
    {
        foreach (var ofSource in plans.GroupBy(p => p.Source.Topic, StringComparer.Ordinal))
            await CheckAsync(admin, [.. ofSource], cancellationToken);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var plan in plans)
        {
            foreach (var topic in TopicsOf(plan))
            {
                await admin.EnsureTopicAsync(topic, plan.Source.Partitions, cancellationToken);
                counts[topic] = plan.Source.Partitions;
            }
        }

        return counts;
    }

    // All are looked at before any is made: whoever has changed a count is told once what that means.
    private static async Task CheckAsync(TopicAdmin admin, IReadOnlyList<LogPlan> plans, CancellationToken cancellationToken)
    {
        var wrong = new List<(string Topic, int Count)>();
        foreach (var topic in plans.SelectMany(TopicsOf))
        {
            if (await admin.PartitionCountAsync(topic, cancellationToken) is { } count && count != plans[0].Source.Partitions)
                wrong.Add((topic, count));
        }

        if (wrong.Count > 0)
            throw new SetupException(PartitionCounts.NotAsInCatalogue(plans[0], wrong));
    }

    private static IEnumerable<string> TopicsOf(LogPlan plan) => [plan.Topic, LogNames.DeadLetterTopic(plan.Topic)];
}
