using StackExchange.Redis;

namespace StreamMl.Infrastructure.Redis;

/// <summary>Whether a server keeps the promises that a commit builds on: atomic Lua, and no key goes on its own.</summary>
internal static class RedisSuitability
{
    /// <summary>A script that sees its key change under it is not atomic. Some milliseconds of looking.</summary>
    private const string WatchScript =
        "redis.call('SET', KEYS[1], 'mine', 'PX', 10000) for i = 1, 1000 do if redis.call('GET', KEYS[1]) ~= 'mine' then return 0 end end return 1";

    private const int Watches = 5;

    /// <param name="server">The server.</param>
    /// <param name="disturber">The same server on another connection.</param>
    /// <exception cref="RedisUnsuitableException">It does not; the message has the remedy.</exception>
    public static async Task CheckAsync(IServer server, IServer disturber)
    {
        await CheckLuaAsync(server);
        if (await IsGarnetAsync(server)) await CheckAtomicityAsync(server, disturber);
        else await CheckEvictionAsync(server);
    }

    private static async Task CheckLuaAsync(IServer server)
    {
        try
        {
            var answer = await server.ExecuteAsync("EVAL", "return 1", "0");
            if ((int)answer != 1) throw new RedisUnsuitableException($"Redis at {server.EndPoint} answers 'return 1' with '{answer}'.");
        }
        catch (RedisServerException e)
        {
            throw new RedisUnsuitableException(
                $"Redis at {server.EndPoint} does not run Lua scripts ({e.Message}), and a commit is one script. "
                + "Garnet needs --lua --lua-transaction-mode true; on Redis give the user the right '+eval +evalsha +script'.", e);
        }
    }

    private static async Task<bool> IsGarnetAsync(IServer server)
    {
        string info = (string?)await server.ExecuteAsync("INFO", "SERVER") ?? "";
        return info.Contains("garnet", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// Garnet does not tell whether its scripts lock their keys, so it is tried: one connection watches a key in a script while another
    /// one writes it. A server that locks never fails this; one that does not would have to be lucky five times.
    /// </summary>
    private static async Task CheckAtomicityAsync(IServer server, IServer disturber)
    {
        string key = $"streamml-probe-{Environment.ProcessId}";
        for (int watch = 0; watch < Watches; watch++)
        {
            var watching = server.ExecuteAsync("EVAL", WatchScript, "1", key);
            while (!watching.IsCompleted) await disturber.ExecuteAsync("SET", key, "other", "PX", "10000");
            if ((int)await watching == 1) continue;
            throw new RedisUnsuitableException(
                $"Garnet at {server.EndPoint} runs scripts without locking their keys, so a reader can see half of a commit. "
                + "Start it with --lua --lua-transaction-mode true.");
        }

        await server.ExecuteAsync("DEL", key);
    }

    private static async Task CheckEvictionAsync(IServer server)
    {
        string policy;
        try
        {
            var pairs = await server.ConfigGetAsync("maxmemory*");
            policy = pairs.FirstOrDefault(p => p.Key == "maxmemory-policy").Value ?? "noeviction";
            string limit = pairs.FirstOrDefault(p => p.Key == "maxmemory").Value ?? "0";
            if (policy == "noeviction" || limit == "0") return;
        }
        catch (RedisServerException)
        {
            // Hosted servers often forbid CONFIG; INFO tells the same.
            string info = (string?)await server.ExecuteAsync("INFO", "MEMORY") ?? "";
            string line = info.Split('\n').FirstOrDefault(l => l.StartsWith("maxmemory_policy:", StringComparison.Ordinal)) ?? "";
            policy = line.Length == 0 ? "noeviction" : line["maxmemory_policy:".Length..].Trim();
            if (policy == "noeviction" || info.Contains("maxmemory:0\r", StringComparison.Ordinal)) return;
        }

        throw new RedisUnsuitableException(
            $"Redis at {server.EndPoint} has maxmemory-policy '{policy}': it would drop feature states silently when its memory is full. "
            + "Set it to noeviction (CONFIG SET maxmemory-policy noeviction), or use a Redis that does not serve as a cache.");
    }
}
