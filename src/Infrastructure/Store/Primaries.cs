using System.Net;
using StackExchange.Redis;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Store;

/// <summary>The servers that hold the store's keys, for what goes through all of them.</summary>
internal static class Primaries
{
    /// <exception cref="StoreUnavailableException">One of them is not reached: what the others hold would be taken for the whole.</exception>
    public static async Task<IReadOnlyList<IServer>> FindAsync(IConnectionMultiplexer redis)
    {
        var connected = redis.GetServers().Where(s => s.IsConnected).ToList();
        if (connected.FirstOrDefault(s => s.ServerType == ServerType.Cluster) is { } node)
            return await OwnersAsync(redis, node);
        connected.RemoveAll(s => s.IsReplica);
        return connected.Count > 0 ? connected : throw new StoreUnavailableException("no Redis that takes writes is reached", null);
    }

    // What the connection knows of a cluster's roles is as old as its last reconfiguration, and before a failover ends two nodes call themselves primaries: who owns slots is asked.
    private static async Task<IReadOnlyList<IServer>> OwnersAsync(IConnectionMultiplexer redis, IServer node)
    {
        await redis.ConfigureAsync();
        var nodes = node.ClusterConfiguration?.Nodes.Where(n => n is { IsReplica: false, Slots.Count: > 0 }).ToList() ?? [];
        foreach (var owner in nodes)
        {
            if (owner.IsFail || !IsReached(redis, owner.EndPoint!))
                throw new StoreUnavailableException($"node {EndPointCollection.ToString(owner.EndPoint!)} of the cluster is not reached, and it holds {Count(owner)} of {SlotGroups.Slots} slots: start it, or let a replica take over, and run this again", null);
        }

        var served = nodes.Sum(Count);
        return served == SlotGroups.Slots ? [.. nodes.Select(n => redis.GetServer(n.EndPoint!))]
            : throw new StoreUnavailableException($"{served} of {SlotGroups.Slots} slots of the cluster have a server: run redis-cli --cluster fix {EndPointCollection.ToString(node.EndPoint)}, and this again", null);
    }

    private static bool IsReached(IConnectionMultiplexer redis, EndPoint endPoint) => redis.GetServers().Any(s => s.IsConnected && s.EndPoint.Equals(endPoint));

    private static int Count(ClusterNode node) => node.Slots.Sum(s => s.To - s.From + 1);
}
