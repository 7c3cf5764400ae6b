using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>
/// The producer of one node: in order per target partition. When a record cannot be delivered, neither is any behind it, and the producer has failed
/// for good; some of them may be in the log all the same.
/// </summary>
internal sealed class NodeSink(World world, Node node) : IRecordSink
{
    private readonly List<(PartitionId Target, Queue<Outgoing> Records)> queues = [];
    private DeliveryFault? failure;
    private bool isCut;

    public int Queued => queues.Sum(q => q.Records.Count);

    public int PartitionCount(string topic) => world.Partitions;

    public IOutbox Open(LogPlan plan, PartitionId partition, long nextOffset) =>
        world.HasTransactions ? new TransactionalOutbox(new NodeTransactions(world, node, partition), nextOffset, plan.Routes.Count > 0) : new PlainOutbox(this);

    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken) =>
        SendAsync(target, key, value, timestampUs, headers, deliveries, null, cancellationToken);

    /// <summary>As above, in a transaction.</summary>
    public ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, SendingIn? within,
        CancellationToken cancellationToken)
    {
        if (failure is not null)
            throw failure;
        deliveries.Sending();
        if (isCut)
        {
            deliveries.Failed(new DeliveryFault());
            return ValueTask.CompletedTask;
        }

        QueueOf(target).Enqueue(new Outgoing(key, value, timestampUs, headers, deliveries, within));
        return world.Random.Next(50) == 0 ? WaitForRoom(cancellationToken) : ValueTask.CompletedTask;
    }

    /// <summary>The broker takes a record, or something goes wrong with it.</summary>
    public void DeliverOne()
    {
        var waiting = queues.FindAll(q => q.Records.Count > 0);
        var (target, records) = waiting[world.Random.Next(waiting.Count)];
        if (world.Faults.Strikes(Fault.FailedDelivery, 40))
        {
            Fail(records);
            return;
        }

        if (world.Faults.Strikes(Fault.LostDeliveryAnswer, 40))
        {
            Append(target, records, world.Random.Next(1, records.Count + 1), acknowledge: false);
            Fail(records);
            return;
        }

        Append(target, records, 1, acknowledge: true);
    }

    /// <summary>The node is dead: the broker has got some of what was sent.</summary>
    public void Cut()
    {
        isCut = true;
        foreach (var (target, records) in queues)
        {
            if (records.Count > 0)
                Append(target, records, world.Random.Next(records.Count + 1), acknowledge: false);
            records.Clear();
        }
    }

    private Queue<Outgoing> QueueOf(PartitionId target)
    {
        var found = queues.Find(q => q.Target == target).Records;
        if (found is null)
            queues.Add((target, found = new Queue<Outgoing>()));
        return found;
    }

    private void Append(PartitionId target, Queue<Outgoing> records, int count, bool acknowledge)
    {
        for (; count > 0; count--)
        {
            var record = records.Dequeue();
            if (record.Within is { } within && !world.Coordinator.Joins(within.Id, within.Epoch, within.Transaction, target))
            {
                within.Transaction.IsDoomed = true;
                record.Deliveries.Failed(new DeliveryFault());
                continue;
            }

            var offset = world.Log.Append(target, record.TimestampUs, record.Key, record.Value, record.Headers, record.Within?.Transaction);
            if (record.Within is null && world.Faults.Strikes(Fault.ProducerRetry, 200))
                world.Log.Append(target, record.TimestampUs, record.Key, record.Value, record.Headers);
            if (acknowledge)
                world.Network.Post(node, "delivered", () => record.Deliveries.Delivered(target, offset));
            else
                record.Deliveries.Failed(new DeliveryFault());
        }
    }

    private void Fail(Queue<Outgoing> records)
    {
        world.Trace.Add("producer failed", node.Id);
        if (world.Plant == Plant.GapsInDeliveries)
        {
            if (records.TryDequeue(out var only))
                only.Deliveries.Failed(new DeliveryFault());
            return;
        }

        var fault = new DeliveryFault();
        if (!world.HasTransactions)
            failure ??= fault;
        while (records.TryDequeue(out var record))
        {
            if (record.Within is { } within)
                within.Transaction.IsDoomed = true;
            record.Deliveries.Failed(fault);
        }
    }

    private ValueTask WaitForRoom(CancellationToken cancellationToken)
    {
        var room = new TaskCompletionSource();
        var registration = cancellationToken.UnsafeRegister(_ => room.TrySetCanceled(cancellationToken), null);
        world.Network.Post(node, "room to send", () =>
        {
            registration.Dispose();
            room.TrySetResult();
        });
        return new ValueTask(room.Task);
    }

    private sealed record Outgoing(byte[]? Key, byte[] Value, long TimestampUs, IReadOnlyList<OutgoingHeader> Headers, Deliveries Deliveries, SendingIn? Within);
}

/// <summary>A record could not be delivered: what ends a worker in earnest too.</summary>
internal sealed class DeliveryFault() : Exception("simulated: a record could not be delivered");
