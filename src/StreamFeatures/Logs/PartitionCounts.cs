namespace StreamMl.StreamFeatures.Logs;

/// <summary>What is said when topics do not have the partition count that states or the catalogue go by: all that must be done, in one message. Pure.</summary>
internal static class PartitionCounts
{
    private const string Archive = "archive into another directory (`streamml archive` with another --dir)";

    /// <summary>A log's topic has another count than before.</summary>
    /// <param name="plan">The log.</param>
    /// <param name="found">Its count now.</param>
    /// <param name="against">What it contradicts, with that count.</param>
    public static string Changed(LogPlan plan, int found, string against) => Message(plan, [(plan.Topic, found)], against);

    /// <summary>Topics that a worker needs have other counts than the catalogue says.</summary>
    /// <param name="plan">A log of their source.</param>
    /// <param name="found">All of them, with their counts.</param>
    public static string NotAsInCatalogue(LogPlan plan, IReadOnlyList<(string Topic, int Count)> found) =>
        Message(plan, found, $"the catalogue says {plan.Source.Partitions} (partitions of source '{plan.Source.Name}')");

    private static string Message(LogPlan plan, IReadOnlyList<(string Topic, int Count)> found, string against)
    {
        var source = found.Any(f => f.Topic == plan.Source.Topic);
        // The topics that are made from the source's are made again with the catalogue's count.
        var topics = source ? plan.SourceTopics : [.. found.Select(f => f.Topic)];
        var steps = new List<string>
        {
            $"delete the topics {string.Join(", ", topics)} (`kafka-topics.sh --delete --topic '{string.Join('|', topics.Select(Escaped))}'`)",
            source
                ? $"let 'partitions:' of source '{plan.Source.Name}' in the catalogue say the count that you want; it says {plan.Source.Partitions}"
                : $"leave the catalogue as it is: source '{plan.Source.Name}' has its {plan.Source.Partitions} partitions",
            "`streamml reset --all --yes`",
            source
                ? $"start the worker, which makes the topics again, replay the source, and {Archive}"
                : $"start the worker: it makes them again and fills them from the source's topic, from the first offset that it still has; {Archive}",
        };
        var text = $"{string.Join(", ", found.Select(f => $"topic '{f.Topic}' has {f.Count} partitions"))}, and {against}: the count says in which partition "
            + "an entity's records are, and records from before a change stay where they were. Stop producers, workers and the archiver, then "
            + string.Join("; ", steps.Select((s, i) => $"({i + 1}) {s}"));
        if (!source)
            return text;
        return $"{text}. To keep '{plan.Source.Topic}' with what it has, leave it out of (1) and write its count, "
            + $"{found.First(f => f.Topic == plan.Source.Topic).Count}, in (2): values of the entities that the change moved then lack what was before it";
    }

    private static string Escaped(string topic) => topic.Replace(".", "\\.", StringComparison.Ordinal);
}
