using StackExchange.Redis;

namespace StreamMl.Infrastructure.Redis;

/// <summary>Whether a server keeps the promises that a commit builds on: atomic Lua, and no key goes on its own.</summary>
internal static class RedisSuitability
{
    public static async Task CheckAsync(IServer server)
    {
        await CheckLuaAsync(server);
        if (await IsGarnetAsync(server)) await CheckGarnetAsync(server);
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
    /// In transaction mode a script locks the keys that it names and may touch no other; outside of it any key passes. So a script
    /// that touches an unnamed key tells the modes apart.
    /// </summary>
    private static async Task CheckGarnetAsync(IServer server)
    {
        try
        {
            await server.ExecuteAsync("EVAL", "return redis.call('GET', 'streamml-probe-unnamed')", "1", "streamml-probe-named");
        }
        catch (RedisServerException)
        {
            return;
        }

        throw new RedisUnsuitableException(
            $"Garnet at {server.EndPoint} runs scripts without locking their keys, so a reader can see half of a commit. "
            + "Start it with --lua --lua-transaction-mode true.");
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
