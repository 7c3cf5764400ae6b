using StreamMl.Shared.Log;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>
/// The consumer group: which node has which partition, and what goes wrong with that. An owner may not know yet that it no longer is one: such a
/// zombie goes on until the news reaches it.
/// </summary>
internal sealed class Group
{
    private const int NodesMax = 3;

    private readonly World world;
    private readonly List<Node> nodes = [];
    private readonly PartitionId[] partitions;
    private readonly Node?[] owners;
    private readonly List<(int Partition, Node From)> revoking = [];
    private readonly List<(PartitionId Partition, Node Node)> news = [];
    private int nextId;

    public Group(World world)
    {
        this.world = world;
        partitions = [.. world.Catalog.PartitionsOf(world.Partitions)];
        owners = new Node?[partitions.Length];
        for (var i = world.Random.Next(1, NodesMax + 1); i > 0; i--)
            Join();
    }

    public IReadOnlyList<Node> Nodes => nodes;

    public bool HasWork => news.Count > 0 || revoking.Count > 0 || Orphan >= 0;

    /// <summary>Whether a node does not have the newest catalogue.</summary>
    public bool HasOld => nodes.Exists(IsOld);

    public PartitionId RandomPartition() => partitions[world.Random.Next(partitions.Length)];

    public Node RandomNode() => nodes[world.Random.Next(nodes.Count)];

    /// <summary>One step of its protocol.</summary>
    public void Step()
    {
        if (news.Count > 0 && world.Random.Next(3) == 0)
            TellOne();
        else if (revoking.Count > 0 && world.Random.Next(2) == 0)
            EndRevokes();
        else
            AssignOne();
    }

    public void Rebalance()
    {
        // Rather one whose worker waits to be read for from elsewhere: that is soon over.
        var p = Array.FindIndex(partitions, p => OwnerOf(p)?.AwaitsSeek(p) == true);
        if (p < 0)
            p = world.Random.Next(partitions.Length);
        if (owners[p] is { } owner)
            Revoke(p, owner);
    }

    private void Revoke(int p, Node owner)
    {
        if (revoking.Exists(r => r.Partition == p))
            return;
        world.Trace.Add("revoke", partitions[p], owner.Id);
        owner.Revoke(partitions[p]);
        revoking.Add((p, owner));
    }

    /// <summary>Gives a partition, or all of a node's, to others while the owner believes it still has them.</summary>
    public void TakeFrom(Node node, PartitionId? only)
    {
        for (var p = 0; p < partitions.Length; p++)
        {
            if (owners[p] != node || (only is not null && partitions[p] != only))
                continue;
            owners[p] = null;
            revoking.RemoveAll(r => r.Partition == p);
            news.Add((partitions[p], node));
        }
    }

    public Node? OwnerOf(PartitionId partition) => owners[Array.IndexOf(partitions, partition)];

    public string Describe() => string.Join(", ", partitions.Select((p, i) => $"{p}: {owners[i]?.ToString() ?? "nobody's"}")) + (news.Count > 0 ? $"; not yet told of: {string.Join(", ", news.Select(n => $"{n.Partition} {n.Node}"))}" : "")
        + (revoking.Count > 0 ? $"; draining: {string.Join(", ", revoking.Select(r => $"{partitions[r.Partition]} {r.From}"))}" : "");

    /// <summary>A node dies and another one comes.</summary>
    public void Crash(Node node)
    {
        world.Trace.Add("crash", node.Id);
        node.Kill();
        nodes.Remove(node);
        news.RemoveAll(n => n.Node == node);
        revoking.RemoveAll(r => r.From == node);
        for (var p = 0; p < owners.Length; p++)
        {
            if (owners[p] == node)
                owners[p] = null;
        }

        if (nodes.Count == 0 || world.Random.Next(3) > 0)
            Join();
    }

    /// <summary>A node that does not have the newest catalogue is replaced, gracefully or not.</summary>
    public void Renew()
    {
        if (nodes.Find(IsOld) is not { } old)
            return;
        if (world.Random.Next(2) == 0 && Array.IndexOf(owners, old) is >= 0 and var p)
            Revoke(p, old);
        else
            Crash(old);
    }

    public void Join()
    {
        if (nodes.Count < NodesMax + 1)
            nodes.Add(new Node(world, nextId++));
    }

    // One whose loss was told of waits for somebody to decide.
    private int Orphan => Array.FindIndex(partitions, p => OwnerOf(p) is null && !world.IsLost(p));

    private bool IsOld(Node node) => node.Catalog != world.CatalogNow;

    private void TellOne()
    {
        var index = world.Random.Next(news.Count);
        var (partition, node) = news[index];
        news.RemoveAt(index);
        world.Trace.Add("lost", partition, node.Id);
        node.Lost(partition);
    }

    private void EndRevokes()
    {
        foreach (var (p, from) in revoking.ToList())
        {
            if (!from.HasEnded(partitions[p]))
                continue;
            revoking.Remove((p, from));
            owners[p] = null;
        }
    }

    private void AssignOne()
    {
        var orphan = Orphan;
        if (orphan < 0)
            return;
        var node = RandomNode();
        if (!node.HasEnded(partitions[orphan]) || news.Contains((partitions[orphan], node)))
            return;
        world.Trace.Add("assign", partitions[orphan], node.Id);
        owners[orphan] = node;
        node.Assign(partitions[orphan]);
    }
}
