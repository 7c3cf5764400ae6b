using System.Globalization;
using StreamMl.Infrastructure.Store;

namespace StreamMl.Infrastructure.Redis;

/// <summary>What a server's own words say against it. Pure: a message has the value, the limit and the remedy; null where nothing is wrong.</summary>
internal static class SuitabilityRules
{
    /// <summary>Share of maxmemory from which on a warning is due.</summary>
    public const double FullFrom = 0.8;

    private const double MiB = 1 << 20;

    public static string? Replica(ServerFacts facts) => !facts.IsReplica ? null
        : $"is a replica of {facts["master_host"]}:{facts["master_port"]} and takes no commits. Name the primary by --redis, or the sentinels with serviceName=NAME, which know the primary after a failover too.";

    public static string? Eviction(ServerFacts facts) =>
        Policy(facts) is var policy && (policy == "noeviction" || MaxMemory(facts) == 0) ? null
            : $"has maxmemory-policy '{policy}' and maxmemory {Text(MaxMemory(facts))}: it would drop feature states silently when its memory is full. "
              + "Set it to noeviction (CONFIG SET maxmemory-policy noeviction), or use a Redis that does not serve as a cache.";

    public static string? Memory(ServerFacts facts) => MaxMemory(facts) == 0 || facts.Number("used_memory") < MaxMemory(facts) ? null
        : $"uses {Text(facts.Number("used_memory"))} of maxmemory {Text(MaxMemory(facts))}: it refuses every commit. Raise maxmemory (CONFIG SET maxmemory), or remove what nobody reads "
          + "(`streamml reset --old --yes`); `streamml plan` predicts the bytes of the views.";

    public static string? Cluster(ServerFacts facts)
    {
        if (!facts.IsInCluster || facts["cluster_state"] is null or "ok")
            return null;
        var assigned = facts.Number("cluster_slots_assigned");
        return assigned < SlotGroups.Slots
            ? $"is in a cluster with cluster_state '{facts["cluster_state"]}': {assigned} of {SlotGroups.Slots} slots have a server. Run redis-cli --cluster fix HOST:PORT, or --cluster create for a new one."
            : $"is in a cluster with cluster_state '{facts["cluster_state"]}': {facts["cluster_slots_ok"] ?? "?"} of {SlotGroups.Slots} slots are served, {facts["cluster_slots_fail"] ?? "?"} have failed. "
              + "Start the primaries that are down, or give them replicas that take over.";
    }

    public static bool HasMaxMemory(ServerFacts facts) => MaxMemory(facts) > 0;

    /// <summary>Bytes at which it takes no more: maxmemory, else the machine's; 0 where it says neither.</summary>
    public static long MemoryLimit(ServerFacts facts) => HasMaxMemory(facts) ? MaxMemory(facts) : facts.Number("total_system_memory");

    /// <summary>What of its memory endangers states or stops commits, now or soon: it may change while workers run.</summary>
    public static IEnumerable<string> MemoryNow(ServerFacts facts) => new[] { Eviction(facts), Memory(facts) }.OfType<string>().Concat(MemoryWarnings(facts));

    /// <summary>What is allowed, but should be known.</summary>
    public static IEnumerable<string> Warnings(ServerFacts facts)
    {
        foreach (var warning in MemoryWarnings(facts))
            yield return warning;
        if (facts.Configured("save") is "" && facts.Configured("appendonly") is "no" && !facts.IsGarnet)
        {
            yield return "keeps nothing on disk (save '', appendonly no): after a restart its states are replayed from Kafka as far as it goes back, or by `streamml rebuild --all` from the archive. "
                         + "Set appendonly yes to keep them.";
        }
    }

    private static IEnumerable<string> MemoryWarnings(ServerFacts facts)
    {
        if (MaxMemory(facts) > 0 && facts.Number("used_memory") is var used && used >= FullFrom * MaxMemory(facts) && used < MaxMemory(facts))
            yield return $"uses {Text(used)} of maxmemory {Text(MaxMemory(facts))}: commits stop when it is full, until it is raised. `streamml plan` predicts the bytes of the views.";
        if (Policy(facts) is var policy && policy != "noeviction" && MaxMemory(facts) == 0)
        {
            yield return $"has maxmemory-policy '{policy}', and no maxmemory yet: once somebody sets one, it drops feature states silently when its memory is full. "
                         + "Set it to noeviction now (CONFIG SET maxmemory-policy noeviction).";
        }
    }

    private static string Policy(ServerFacts facts) => facts.Configured("maxmemory-policy") ?? facts["maxmemory_policy"] ?? "noeviction";

    private static long MaxMemory(ServerFacts facts) =>
        long.TryParse(facts.Configured("maxmemory"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var configured) ? configured : facts.Number("maxmemory");

    private static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / MiB:F1} MiB");
}
