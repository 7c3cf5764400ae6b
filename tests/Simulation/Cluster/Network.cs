namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>A message under way: done when it is picked; torn when its connection is.</summary>
internal sealed record Message(Node? Node, string What, Action Arrive, Action? Tear);

/// <summary>Everything under way. Any of it may come next; what is late comes long after.</summary>
internal sealed class Network(World world)
{
    private readonly List<Message> messages = [];
    private readonly List<Message> late = [];

    public int Count => messages.Count;

    public int Late => late.Count;

    public void Post(Node? node, string what, Action arrive, Action? tear = null) => messages.Add(new Message(node, what, arrive, tear));

    public void PostLate(Node? node, string what, Action arrive) => late.Add(new Message(node, what, arrive, null));

    public void DeliverOne() => DeliverOne(messages);

    public void DeliverOneLate() => DeliverOne(late);

    /// <summary>All connections of the node break: requests may have got through or not, answers are lost.</summary>
    public void Tear(Node node)
    {
        var torn = messages.FindAll(m => m.Node == node && m.Tear is not null);
        messages.RemoveAll(torn.Contains);
        foreach (var message in torn)
            message.Tear!();
    }

    private void DeliverOne(List<Message> from)
    {
        var index = world.Random.Next(from.Count);
        var message = from[index];
        from[index] = from[^1];
        from.RemoveAt(from.Count - 1);
        world.Trace.Add(message.What, message.Node?.Id);
        message.Arrive();
    }
}
