using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Triggers;

/// <summary>
/// Serves one service's trigger topic in rounds: a micro-batch of events is decoded, its features are read as of each event once the views are there, the sinks get it, its
/// position is noted. Rounds overlap: while the store answers one, the one before is with the sinks and the next is decoded; sinks get them in the order of the topic.
/// One thread does all but the waiting (<see cref="Run"/>); record source and sinks are touched by it alone.
/// </summary>
internal sealed class TriggerServer : IAssignmentHandler, IDisposable
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(20);

    private readonly TriggerPlan plan;
    private readonly TriggerServices services;
    private readonly TriggerServingOptions options;
    private readonly IRecordSource source;
    private readonly IReadOnlyList<ITriggerSink> sinks;
    private readonly EventDecoderSet decoders;
    private readonly StorePatience patience;
    private readonly Stack<TriggerRound> idle;
    private readonly Queue<TriggerRound> underWay = new();
    private readonly ILogger logger;
    private readonly Dictionary<PartitionId, TriggerPartition> owned = [];
    private readonly List<int> forSink = [];
    private readonly KeyValuePair<string, object?> tag;
    private readonly CancellationTokenSource afterDrain = new();
    private Task<bool>[] noting = [];
    private TriggerPartition[] noted = [];
    private CancellationToken stopping;
    private BudgetReader? budget;
    private long flushedAt;
    private bool hasUnflushed;
    private bool hasUnnoted;

    public TriggerServer(TriggerPlan plan, TriggerServices services, TriggerServingOptions options, IRecordSource source, IReadOnlyList<ITriggerSink> sinks)
    {
        (this.plan, this.services, this.options, this.source, this.sinks) = (plan, services, options, source, sinks);
        logger = services.Logger;
        decoders = new EventDecoderSet(plan.Source, plan.Schema, services.SchemaOf);
        patience = new StorePatience(plan.Name, services, options);
        idle = new(Enumerable.Range(0, options.MaxRounds).Select(_ => new TriggerRound(plan, services, options, decoders, patience)));
        tag = new("service", plan.Name);
    }

    /// <summary>Serves until cancelled, then makes durable what was served. Blocks its thread.</summary>
    public void Run(CancellationToken cancellationToken)
    {
        using var reads = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stopping = reads.Token;
        using var registration = cancellationToken.Register(() => afterDrain.CancelAfter(options.DrainMs));
        budget = services.Budget?.AddReader(plan.Source.Topic, plan.GroupId);
        flushedAt = services.Time.GetTimestamp();
        try
        {
            source.Subscribe([plan.Source.Topic], this);
            while (!cancellationToken.IsCancellationRequested)
                Step();
            FinishWhatIsRead();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The rounds that were cut short were neither handed to a sink nor noted: they are served after the restart.
        }
        finally
        {
            reads.Cancel();
            Abandon();
            Drain();
            source.Dispose(); // hands the partitions back
            budget?.Dispose();
        }
    }

    public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions)
    {
        if (partitions.FirstOrDefault(p => p.Partition >= plan.Source.Partitions) is { Topic: not null } added)
            throw new SetupException($"topic '{added.Topic}' has at least {added.Partition + 1} partitions, and the catalogue says {plan.Source.Partitions}: the count says in which partition an entity's events are. Stop this; what else to do `streamml features` says when it is started");
        // Asked before the claims, so that whoever sees a claim knows that what it sends from then on is served.
        var first = patience.CallAsync(token => services.Ends.BeginningsAsync(partitions, token), stopping).GetAwaiter().GetResult();
        var fresh = options.StartAtEnd ? patience.CallAsync(token => services.Ends.EndsAsync(partitions, token), stopping).GetAwaiter().GetResult() : first;
        var starts = new List<PartitionStart>();
        for (var i = 0; i < partitions.Count; i++)
        {
            var (partition, from, start) = (partitions[i], first[i], fresh[i]);
            var claimed = patience.CallAsync(token => TriggerPartition.ClaimAsync(plan, partition, sinks, services.Store, start, token), stopping).GetAwaiter().GetResult();
            owned[partition] = claimed;
            logger.Claimed(plan.Name, partition, claimed.NextOffset);
            // Nothing can be read for them any more, so nothing is gained by standing still.
            if (claimed.NextOffset < from)
                logger.TriggersLost(plan.Name, partition, claimed.NextOffset, from - 1, from - claimed.NextOffset);
            starts.Add(new PartitionStart(partition, Math.Max(claimed.NextOffset, from)));
        }

        return starts;
    }

    public void Revoked(IReadOnlyList<PartitionId> partitions)
    {
        if (!stopping.IsCancellationRequested && partitions.Any(owned.ContainsKey))
        {
            while (underWay.Count > 0)
                FinishOldest();
            Flush(stopping); // all: a flush makes all of them durable
        }

        Lost(partitions);
    }

    public void Lost(IReadOnlyList<PartitionId> partitions)
    {
        foreach (var partition in partitions)
            owned.Remove(partition);
    }

    public void Dispose()
    {
        decoders.Dispose();
        afterDrain.Dispose();
        foreach (var round in idle)
            round.Dispose();
    }

    private void Step()
    {
        var hasMore = idle.Count > 0 && TryBegin();
        // With room for another round and records coming, the oldest is left alone until its features are there.
        if (underWay.Count > 0 && (!hasMore || idle.Count == 0 || underWay.Peek().Reading.IsCompleted))
            FinishOldest();
        if (noting.All(n => n.IsCompleted))
            Note();
        if (hasUnflushed && services.Time.GetElapsedTime(flushedAt).TotalMilliseconds >= options.FlushMs)
            Flush(stopping);
    }

    private bool TryBegin()
    {
        var round = idle.Pop();
        var came = false;
        try
        {
            // May revoke partitions, and finish rounds before it does.
            came = source.TryReadBatch(round.Records, underWay.Count == 0 ? PollWait : TimeSpan.Zero);
            if (came)
                round.Start(owned, stopping);
        }
        finally
        {
            if (came && round.Ends.Count > 0)
                underWay.Enqueue(round);
            else
                idle.Push(round);
        }

        return came;
    }

    private void FinishOldest()
    {
        var round = underWay.Peek();
        round.Reading.GetAwaiter().GetResult();
        if (round.Batch.Count > 0)
        {
            var started = services.Time.GetTimestamp();
            Write(round);
            ServingMetrics.Write.Record(services.Time.GetElapsedTime(started).TotalMilliseconds, tag);
            ServingMetrics.Served.Add(round.Batch.Count, tag);
        }

        foreach (var end in round.Ends.Where(IsOwned))
            end.Partition.MarkServed(end.Position);
        (hasUnnoted, hasUnflushed) = (true, true);
        idle.Push(underWay.Dequeue());
    }

    /// <summary>A partition that left and came back is another one: what was read before it left is read again.</summary>
    private bool IsOwned(RoundEnd end) => owned.TryGetValue(end.Partition.Partition, out var partition) && partition == end.Partition;

    // A stop does not cut a write short: what half of the sinks have would come to them twice.
    private void Write(TriggerRound round)
    {
        var left = round.Ends.Where(e => !IsOwned(e)).Select(e => e.Partition.Partition).ToHashSet();
        for (var sink = 0; sink < sinks.Count; sink++)
        {
            forSink.Clear();
            for (var i = 0; i < round.Batch.Count; i++)
            {
                var (partition, offset) = (round.Batch.Triggers[i].Partition, round.Batch.Triggers[i].Offset);
                if ((left.Count == 0 || !left.Contains(partition)) && offset >= owned[partition].SinkNext(sink))
                    forSink.Add(i);
            }

            if (forSink.Count > 0)
                sinks[sink].WriteAsync(round.Batch, forSink, afterDrain.Token).GetAwaiter().GetResult();
        }
    }

    /// <summary>Notes in the store how far the service is, one note at a time: the store's answer is not waited for, only looked at before the next.</summary>
    private void Note()
    {
        SettleNotes();
        if (!hasUnnoted)
            return;
        noted = [.. owned.Values];
        noting = [.. noted.Select(p => NoteAsync(p, sinksAreDurable: sinks.Count == 0, afterDrain.Token))];
        hasUnnoted = false;
    }

    private Task<bool> NoteAsync(TriggerPartition partition, bool sinksAreDurable, CancellationToken cancellationToken) =>
        patience.CallAsync(token => partition.CommitAsync(services.Store, sinksAreDurable, token), cancellationToken);

    /// <summary>Waits for what is being noted, and does what follows from it.</summary>
    private void SettleNotes()
    {
        var (partitions, answers) = (noted, noting);
        (noted, noting) = ([], []);
        for (var i = 0; i < partitions.Length; i++)
        {
            var partition = partitions[i];
            if (answers[i].GetAwaiter().GetResult())
                budget?.Release(partition.Partition.Partition, partition.NotedOffset);
            else if (owned.GetValueOrDefault(partition.Partition) == partition)
                GiveUp(partition.Partition);
        }
    }

    private void GiveUp(PartitionId partition)
    {
        logger.TakenOver(plan.Name, partition);
        owned.Remove(partition);
        source.Pause([partition]);
    }

    private void Flush(CancellationToken cancellationToken)
    {
        SettleNotes();
        foreach (var sink in sinks)
            sink.FlushAsync(cancellationToken).GetAwaiter().GetResult();
        noted = [.. owned.Values];
        noting = [.. noted.Select(p => NoteAsync(p, sinksAreDurable: true, cancellationToken))];
        SettleNotes();
        source.CommitForLag([.. owned.Values.Select(p => new PartitionStart(p.Partition, p.NotedOffset))]);
        flushedAt = services.Time.GetTimestamp();
        (hasUnnoted, hasUnflushed) = (false, false);
    }

    /// <summary>At the end: rounds whose features came in time are served, in order, up to the first that was cut short.</summary>
    private void FinishWhatIsRead()
    {
        while (underWay.Count > 0)
            FinishOldest();
    }

    /// <summary>Takes back the rounds that are not served. Their reads end soon: they are cancelled, or their store answers.</summary>
    private void Abandon()
    {
        while (underWay.TryDequeue(out var round))
        {
            Task.WaitAny(round.Reading); // whatever became of it
            idle.Push(round);
        }
    }

    private void Drain()
    {
        afterDrain.CancelAfter(options.DrainMs);
        try
        {
            Flush(afterDrain.Token);
            logger.Drained(plan.Name);
        }
        catch (Exception e) when (e is OperationCanceledException or StoreUnavailableException)
        {
            logger.NotDrained(plan.Name, options.DrainMs, e.Message);
        }
    }
}
