using System.Globalization;
using System.Text;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;

namespace StreamMl.TestKit.Servers;

/// <summary>A cluster of three primaries and their three replicas on free ports of this machine, that elects within about two seconds. Thread-safe but for kills.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int Primaries = 3;
    private const int Slots = 16384;
    private const int NodeTimeoutMs = 1_000;
    private readonly List<RedisProcess> nodes = [];

    private RedisCluster()
    {
    }

    public IReadOnlyList<RedisProcess> Nodes => nodes;

    /// <summary>The first three nodes: one of them is enough to find the others, but any may be dead.</summary>
    public RedisEndpoint Endpoint => RedisEndpoint.Of($"{string.Join(',', nodes.Select(n => n.Endpoint))},connectTimeout=2000,asyncTimeout=3000,syncTimeout=3000");

    /// <param name="program">redis-server or valkey-server; skips the test where it is null.</param>
    public static async Task<RedisCluster> StartAsync(string? program)
    {
        var cluster = new RedisCluster();
        try
        {
            for (var i = 0; i < 2 * Primaries; i++)
                cluster.nodes.Add(await RedisProcess.StartAsync(program, "--cluster-enabled", "yes", "--cluster-port", Text(RedisProcess.FreePort()), "--cluster-node-timeout", Text(NodeTimeoutMs), "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"));
            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The slot of a log partition's keys.</summary>
    public static int SlotOf(PartitionId log) => SlotGroups.SlotOf(Encoding.UTF8.GetBytes(LogNames.HashTag(log)));

    /// <summary>The node that owns the slot now, as a living node tells.</summary>
    public async Task<RedisProcess> OwnerAsync(int slot) => await FindOwnerAsync(slot) ?? throw new InvalidOperationException($"no node owns slot {slot}");

    /// <summary>Kills the slot's primary and waits until its replica has been elected and every living node sees all slots served.</summary>
    /// <returns>The dead node.</returns>
    public async Task<RedisProcess> FailOverAsync(int slot)
    {
        var primary = await OwnerAsync(slot);
        await primary.KillAsync();
        await Eventually.Until(async () => await FindOwnerAsync(slot) is { } owner && owner != primary, () => $"no replica of {primary.Endpoint} was elected");
        await WholeAsync();
        return primary;
    }

    /// <summary>Waits until every living node sees all slots served.</summary>
    public Task WholeAsync() => Eventually.Until(
        async () =>
        {
            var views = await Task.WhenAll(nodes.Select(n => TryAskAsync(n, "CLUSTER", "INFO")));
            return views.OfType<string>().All(v => v.Contains("cluster_state:ok", StringComparison.Ordinal));
        },
        () => "the cluster did not become whole");

    /// <summary>Moves a slot as redis-cli's reshard does, ten keys at a time; whoever uses it meanwhile is sent to and fro, or told to try again.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="target">A primary.</param>
    /// <param name="whenMoved">Called when the target has all keys and the source still owns the slot: each command is answered by ASK.</param>
    public async Task MigrateAsync(int slot, RedisProcess target, Func<Task> whenMoved)
    {
        var source = await OwnerAsync(slot);
        string number = Text(slot), sourceId = await source.AskAsync("CLUSTER", "MYID"), targetId = await target.AskAsync("CLUSTER", "MYID");
        await target.AskAsync("CLUSTER", "SETSLOT", number, "IMPORTING", sourceId);
        await source.AskAsync("CLUSTER", "SETSLOT", number, "MIGRATING", targetId);
        while ((await source.AskAsync("CLUSTER", "GETKEYSINSLOT", number, "10")).Split('\n', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } keys)
            await source.AskAsync(["MIGRATE", "127.0.0.1", Text(target.Port), "", "0", "5000", "KEYS", .. keys.Select(k => k.Trim())]);
        await whenMoved();
        await target.AskAsync("CLUSTER", "SETSLOT", number, "NODE", targetId);
        await source.AskAsync("CLUSTER", "SETSLOT", number, "NODE", targetId);
    }

    /// <summary>The primary's replica gets nothing more, and is still the one that is elected when the primary dies: the store then goes back to this moment.</summary>
    public async Task CutReplicaAsync(RedisProcess primary)
    {
        var id = await primary.AskAsync("CLUSTER", "MYID");
        var replica = (await primary.AskAsync("CLUSTER", "REPLICAS", id)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ClusterLine.Parse).Select(line => nodes.Single(n => n.Port == line.Port)).First();
        await replica.AskAsync("CONFIG", "SET", "masteruser", "nobody");
        await replica.AskAsync("CONFIG", "SET", "masterauth", "wrong");
        await primary.AskAsync("CLIENT", "KILL", "TYPE", "replica");
        await Eventually.Until(async () => (await replica.AskAsync("INFO", "replication")).Contains("master_link_status:down", StringComparison.Ordinal), () => $"{replica.Endpoint} still follows");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    private async Task<RedisProcess?> FindOwnerAsync(int slot)
    {
        foreach (var node in nodes)
        {
            if (await TryAskAsync(node, "CLUSTER", "NODES") is not { } view)
                continue;
            if (view.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ClusterLine.Parse).FirstOrDefault(line => line.Owns(slot)) is { } owner)
                return nodes.Single(n => n.Port == owner.Port);
        }

        return null;
    }

    private async Task FormAsync()
    {
        for (var i = 0; i < Primaries; i++)
            await nodes[i].AskAsync("CLUSTER", "ADDSLOTSRANGE", Text(Slots * i / Primaries), Text((Slots * (i + 1) / Primaries) - 1));
        for (var i = 0; i < nodes.Count; i++)
        {
            await nodes[i].AskAsync("CLUSTER", "SET-CONFIG-EPOCH", Text(i + 1));
            if (i > 0)
                await nodes[i].AskAsync("CLUSTER", "MEET", "127.0.0.1", Text(nodes[0].Port), await BusPortAsync(nodes[0]));
        }

        await Eventually.Until(async () => (await Task.WhenAll(nodes.Select(n => n.AskAsync("CLUSTER", "INFO")))).All(v => v.Contains($"cluster_known_nodes:{nodes.Count}", StringComparison.Ordinal) && v.Contains("cluster_state:ok", StringComparison.Ordinal)), () => "the nodes do not know each other");
        for (var i = Primaries; i < nodes.Count; i++)
            await nodes[i].AskAsync("CLUSTER", "REPLICATE", await nodes[i - Primaries].AskAsync("CLUSTER", "MYID"));
        await Eventually.Until(async () => (await Task.WhenAll(nodes.Skip(Primaries).Select(n => n.AskAsync("INFO", "replication")))).All(v => v.Contains("master_link_status:up", StringComparison.Ordinal)), () => "the replicas do not follow");
        await Eventually.Until(async () => (await Task.WhenAll(nodes.Select(n => n.AskAsync("CLUSTER", "NODES")))).All(v => v.Split('\n').Count(l => l.Contains("slave", StringComparison.Ordinal)) == nodes.Count - Primaries), () => "the nodes do not know who follows whom");
    }

    private static async Task<string> BusPortAsync(RedisProcess node) => (await node.AskAsync("CONFIG", "GET", "cluster-port")).Split('\n')[^1].Trim();

    private static async Task<string?> TryAskAsync(RedisProcess node, params string[] command)
    {
        try
        {
            return await node.AskAsync(command);
        }
        catch (InvalidOperationException)
        {
            return null; // it is dead
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A line of CLUSTER NODES: id, address, flags, primary, two times, epoch, link, slots.</summary>
    private sealed record ClusterLine(int Port, bool IsAlive, IReadOnlyList<(int From, int To)> Ranges)
    {
        public static ClusterLine Parse(string line)
        {
            var fields = line.Trim().Split(' ');
            var port = int.Parse(fields[1].Split('@')[0].Split(':')[^1], CultureInfo.InvariantCulture);
            var alive = fields[2].Contains("master", StringComparison.Ordinal) && !fields[2].Split(',').Contains("fail");
            return new ClusterLine(port, alive, [.. fields.Skip(8).Where(f => !f.StartsWith('[')).Select(f => f.Split('-')).Select(f => (int.Parse(f[0], CultureInfo.InvariantCulture), int.Parse(f[^1], CultureInfo.InvariantCulture)))]);
        }

        public bool Owns(int slot) => IsAlive && Ranges.Any(r => slot >= r.From && slot <= r.To);
    }
}
