using StackExchange.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;

namespace StreamMl.Infrastructure.Redis;

/// <summary>
/// Whether the servers behind a connection keep the promises that a commit builds on: every slot has a primary that runs atomic Lua, writes what it is told, and lets no key go on
/// its own.
/// </summary>
/// <param name="connection">May ask INFO, CONFIG and CLUSTER.</param>
/// <param name="disturber">Another connection to the same servers.</param>
/// <param name="time">For the wait for a cluster that is electing.</param>
internal sealed class RedisSuitability(IConnectionMultiplexer connection, IConnectionMultiplexer disturber, TimeProvider time)
{
    /// <summary>A cluster that elects a new primary is back after its node timeout (15 s by default) and the election.</summary>
    private static readonly TimeSpan ElectionPatience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    /// <returns>What is allowed, but should be known.</returns>
    /// <exception cref="RedisUnsuitableException">A server does not; the message has the remedy.</exception>
    public async Task<IReadOnlyList<string>> CheckAsync(CancellationToken cancellationToken)
    {
        var warnings = new List<string>();
        var primaries = 0;
        string? replica = null;
        foreach (var server in connection.GetServers().Where(s => s.IsConnected))
        {
            var facts = await FactsAsync(server);
            if (SuitabilityRules.Replica(facts) is { } why)
            {
                replica = Named(server, why);
                continue;
            }

            primaries++;
            await CheckPrimaryAsync(server, facts, cancellationToken);
            warnings.AddRange(SuitabilityRules.Warnings(facts).Select(w => Named(server, w)));
        }

        return primaries > 0 ? warnings : throw new RedisUnsuitableException(replica ?? "No Redis answers: start it, or name another by --redis.");
    }

    /// <summary>What the primaries say of their memory alone: no probe is written.</summary>
    public static async Task<IReadOnlyList<string>> LookAsync(IConnectionMultiplexer connection) =>
        [.. (await PrimariesAsync(connection)).SelectMany(p => SuitabilityRules.MemoryNow(p.Facts).Select(w => Named(p.Server, w)))];

    /// <summary>The primaries' memory together; null where one does not say.</summary>
    public static async Task<StoreMemory?> MemoryAsync(IConnectionMultiplexer connection)
    {
        var primaries = (await PrimariesAsync(connection)).ConvertAll(p => p.Facts);
        var limits = primaries.ConvertAll(SuitabilityRules.MemoryLimit);
        return limits.Count == 0 || limits.Contains(0) ? null : new StoreMemory(primaries.Sum(p => p.Number("used_memory")), limits.Sum(), primaries.Exists(p => !SuitabilityRules.HasMaxMemory(p)));
    }

    private static async Task<List<(IServer Server, ServerFacts Facts)>> PrimariesAsync(IConnectionMultiplexer connection)
    {
        var primaries = new List<(IServer, ServerFacts)>();
        foreach (var server in connection.GetServers().Where(s => s.IsConnected))
        {
            if (await FactsAsync(server) is { IsReplica: false } facts)
                primaries.Add((server, facts));
        }

        return primaries;
    }

    private async Task CheckPrimaryAsync(IServer server, ServerFacts facts, CancellationToken cancellationToken)
    {
        if (facts.IsInCluster)
            facts = await SettledAsync(server, facts, cancellationToken);
        foreach (var problem in new[] { SuitabilityRules.Cluster(facts), SuitabilityRules.Eviction(facts), SuitabilityRules.Memory(facts) })
        {
            if (problem is not null)
                throw new RedisUnsuitableException(Named(server, problem));
        }

        await CheckLuaAsync(server);
        var probe = new CommitProbe(connection, server);
        await probe.CommitAsync();
        if (facts.IsGarnet)
            await probe.WatchAsync(disturber.GetServer(server.EndPoint));
    }

    /// <summary>A worker that is started while the cluster elects waits for the election; one that slots are missing from does not become whole by waiting.</summary>
    private async Task<ServerFacts> SettledAsync(IServer server, ServerFacts facts, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (SuitabilityRules.Cluster(facts) is not null
               && facts.Number("cluster_slots_assigned") == SlotGroups.Slots && time.GetElapsedTime(start) < ElectionPatience)
        {
            await Task.Delay(LookInterval, time, cancellationToken);
            facts = await FactsAsync(server);
        }

        return facts;
    }

    private static async Task<ServerFacts> FactsAsync(IServer server)
    {
        var info = await TextAsync(server, "INFO");
        var cluster = info.Contains("cluster_enabled:1", StringComparison.Ordinal) ? await TextAsync(server, "CLUSTER", "INFO") : "";
        return new ServerFacts([info, cluster], [.. await ConfigurationAsync(server, "maxmemory*"), .. await ConfigurationAsync(server, "save"), .. await ConfigurationAsync(server, "appendonly")]);
    }

    // Hosted servers often forbid CONFIG, and users may lack INFO: what is not said is not judged.
    private static async Task<KeyValuePair<string, string>[]> ConfigurationAsync(IServer server, string pattern)
    {
        try
        {
            return await server.ConfigGetAsync(pattern);
        }
        catch (RedisServerException)
        {
            return [];
        }
    }

    private static async Task<string> TextAsync(IServer server, string command, params object[] arguments)
    {
        try
        {
            // RESP3 answers a text as a verbatim string, whose type the client leaves in front.
            var text = (string?)await server.ExecuteAsync(command, arguments) ?? "";
            return text.StartsWith("txt:", StringComparison.Ordinal) ? text[4..] : text;
        }
        catch (RedisServerException)
        {
            return "";
        }
    }

    private static async Task CheckLuaAsync(IServer server)
    {
        try
        {
            var answer = await server.ExecuteAsync("EVAL", "return 1", "0");
            if ((int)answer != 1)
                throw new RedisUnsuitableException(Named(server, $"answers 'return 1' with '{answer}': it does not run Lua as Redis does, and a commit is one script. Use Redis, Valkey or Garnet."));
        }
        catch (RedisServerException e)
        {
            throw new RedisUnsuitableException(
                Named(server, $"does not run Lua scripts ({e.Message}), and a commit is one script. Garnet needs --lua --lua-transaction-mode true; on Redis give the user the rights '{CommitProbe.Rights}'."), e);
        }
    }

    private static string Named(IServer server, string what) => $"Redis at {EndPointCollection.ToString(server.EndPoint)} {what}";
}
