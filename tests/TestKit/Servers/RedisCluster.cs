using System.Globalization;
using StreamMl.Infrastructure.Redis;

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

    /// <summary>The node that owns the slot now, as a living node tells.</summary>
    public async Task<RedisProcess> OwnerAsync(int slot)
    {
        foreach (var node in nodes)
        {
            if (await TryAskAsync(node, "CLUSTER", "NODES") is not { } view)
                continue;
            var owner = view.Split('\n').Select(ClusterLine.Parse).FirstOrDefault(line => line.Owns(slot));
            if (owner is not null)
                return nodes.Single(n => n.Port == owner.Port);
        }

        throw new InvalidOperationException($"no node owns slot {slot}");
    }

    /// <summary>Waits until every living node sees all slots served.</summary>
    public Task WholeAsync() => Eventually.Until(
        async () =>
        {
            var views = await Task.WhenAll(nodes.Select(n => TryAskAsync(n, "CLUSTER", "INFO")));
            return views.OfType<string>().All(v => v.Contains("cluster_state:ok", StringComparison.Ordinal));
        },
        () => "the cluster did not become whole");

    /// <summary>Moves a slot as redis-cli's reshard does, ten keys at a time; whoever uses it meanwhile is sent to and fro.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="target">A primary.</param>
    /// <param name="between">Called between the steps, with the number of keys moved.</param>
    public async Task MigrateAsync(int slot, RedisProcess target, Func<int, Task> between)
    {
        var source = await OwnerAsync(slot);
        string number = Text(slot), sourceId = await source.AskAsync("CLUSTER", "MYID"), targetId = await target.AskAsync("CLUSTER", "MYID");
        await target.AskAsync("CLUSTER", "SETSLOT", number, "IMPORTING", sourceId);
        await source.AskAsync("CLUSTER", "SETSLOT", number, "MIGRATING", targetId);
        for (var moved = 0; ;)
        {
            await between(moved);
            var keys = (await source.AskAsync("CLUSTER", "GETKEYSINSLOT", number, "10")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (keys.Length == 0)
                break;
            await source.AskAsync(["MIGRATE", "127.0.0.1", Text(target.Port), "", "0", "5000", "KEYS", .. keys]);
            moved += keys.Length;
        }

        await target.AskAsync("CLUSTER", "SETSLOT", number, "NODE", targetId);
        await source.AskAsync("CLUSTER", "SETSLOT", number, "NODE", targetId);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
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
