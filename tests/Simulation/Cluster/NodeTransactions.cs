using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>A node's right to send for one log partition: what its client knows of it. Requests and answers travel apart, so either may be all that there was of a crash.</summary>
internal sealed class NodeTransactions(World world, Node node, PartitionId id) : ITransactions
{
    private long epoch;
    private SimTransaction? open;

    public bool IsInDoubt => false;

    public async Task<long> TakeAsync(long passed, CancellationToken cancellationToken)
    {
        var (taken, notes) = await AskAsync("take transactions", () => world.Coordinator.Take(id), cancellationToken);
        epoch = taken;
        return new NoteTail(notes, notes).SentTo(passed);
    }

    public void Begin() => open = new SimTransaction();

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken)
    {
        var transaction = open!;
        if (transaction.IsDoomed)
            throw new DeliveryException(new DeliveryFault());
        return node.Sink.SendAsync(target, key, value, timestampUs, headers, deliveries, new SendingIn(id, epoch, transaction), cancellationToken);
    }

    public async Task CommitAsync(SentNote note, CancellationToken cancellationToken)
    {
        var transaction = open!;
        open = null;
        var isCommitted = await AskAsync("commit transaction", () => world.Coordinator.Commit(id, epoch, transaction, note), cancellationToken);
        if (!isCommitted && world.Plant != Plant.AbortedIsCommitted)
            throw new DeliveryException(new DeliveryFault());
    }

    public Task<long> EndAsync(PartitionId target, CancellationToken cancellationToken) => AskAsync("ask for the end", () => world.Log.StableEnd(target), cancellationToken);

    public bool IsForGood(Exception? error) => false;

    public void Dispose()
    {
        if (open is not null)
            open.IsAbandoned = true;
    }

    private async Task<T> AskAsync<T>(string what, Func<T> request, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<T>();
        await using var registration = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        world.Network.Post(node, what, () =>
        {
            var result = request();
            world.Network.Post(node, "answer", () => answer.TrySetResult(result));
        });
        return await answer.Task;
    }
}

/// <summary>In which transaction a record is sent, and by whose right.</summary>
internal sealed record SendingIn(PartitionId Id, long Epoch, SimTransaction Transaction);
