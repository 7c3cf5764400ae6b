using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.StreamFeatures.Partitions;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures;

/// <summary>
/// The polling thread: reads the record source, hands slices to the partitions' workers, bounds what is queued, and answers the group. The source
/// is touched by this thread alone; workers ask through <see cref="IPartitionRequests"/>.
/// </summary>
internal sealed partial class LogRunner : IAssignmentHandler, IPartitionRequests, IDisposable
{
    private static readonly TimeSpan PollWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LagCommitInterval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyDictionary<string, LogPlan> plans;
    private readonly Dictionary<string, EventDecoderSet> decoders;
    private readonly IRecordSource source;
    private readonly IStateStore store;
    private readonly IOutboxes outboxes;
    private readonly StreamMetrics metrics;
    private readonly StreamFeaturesOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Retry retry;
    private readonly BatchPool pool = new();
    private readonly ConcurrentDictionary<PartitionId, Slot> slots = new();
    private readonly ConcurrentQueue<(PartitionWorker Worker, long Offset, int Generation)> seeks = new();
    private readonly ConcurrentDictionary<PartitionId, long> committed = new();
    private readonly Dictionary<string, BudgetReader> budgetReaders = new(StringComparer.Ordinal);
    private readonly ManualResetEventSlim room = new(initialState: true);
    private CancellationToken stopping;
    private long queuedBytes;
    private IReadOnlyList<(PartitionId Partition, Claim Held)> drained = [];
    private long lagCommittedAt;

    public LogRunner(
        IReadOnlyList<LogPlan> plans,
        IRecordSource source,
        IStateStore store,
        IOutboxes outboxes,
        Func<int, CancellationToken, ValueTask<string>> schemaOf,
        StreamMetrics metrics,
        StreamFeaturesOptions options,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        this.plans = plans.ToDictionary(p => p.Topic, StringComparer.Ordinal);
        decoders = plans.ToDictionary(p => p.Topic, p => new EventDecoderSet(p.Source, p.BatchSchema, schemaOf), StringComparer.Ordinal);
        (this.source, this.store, this.outboxes, this.metrics, this.options, this.time) = (source, store, outboxes, metrics, options, time);
        logger = loggers.CreateLogger<LogRunner>();
        retry = new Retry(options, time, loggers.CreateLogger<Retry>());
        metrics.Observe(
            () => slots.Values.Select(s => new System.Diagnostics.Metrics.Measurement<long>(s.Worker.Lag, Tags(s.Worker.Partition))),
            () => slots.Values.SelectMany(s => s.Worker.Entities.Select(e => new System.Diagnostics.Metrics.Measurement<long>(e.Entities, [new("view", e.View), .. Tags(s.Worker.Partition)]))),
            () => slots.Values.Sum(s => s.Worker.MemoryBytes),
            () => Volatile.Read(ref queuedBytes));
    }

    /// <summary>The embedded Kafka's bound on how far producers may be ahead of this reader; null for a real one.</summary>
    public ByteBudget? Budget { get; init; }

    /// <summary>Holds positions to their topics; null (default): nobody does.</summary>
    public TopicGuard? Guard { get; init; }

    /// <summary>Runs until cancelled, then drains; fails with the first fault of a worker or of the source.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var faulted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stopping = faulted.Token;
        foreach (var topic in plans.Keys)
        {
            if (Budget is not null)
                budgetReaders[topic] = Budget.AddReader(topic, options.GroupId);
        }

        using var ticks = time.CreateTimer(_ => TickAll(), null, TimeSpan.FromMilliseconds(TickMs), TimeSpan.FromMilliseconds(TickMs));
        try
        {
            await Task.Factory.StartNew(Poll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        catch (Exception e) when (Guard is not null && e is OffsetOutOfRangeException or LogLossException)
        {
            await ThrowLossesAsync(Guard!, e);
            throw;
        }

        foreach (var reader in budgetReaders.Values)
            reader.Dispose();
    }

    public IReadOnlyList<PartitionStart> Assigned(IReadOnlyList<PartitionId> partitions)
    {
        // All are looked at before any is claimed: what one claim writes down is not to be taken for what was there.
        var edges = Task.WhenAll(partitions.GroupBy(p => p.Topic, StringComparer.Ordinal).Select(topic => LookAsync(plans[topic.Key], [.. topic]))).GetAwaiter().GetResult()
            .SelectMany(e => e).ToDictionary(e => e.Key, e => e.Value);
        var claims = Task.WhenAll(partitions.Select(p => retry.RunAsync(token => Claim.TakeAsync(store, plans[p.Topic], p, edges[p], held: null, token), stopping))).GetAwaiter().GetResult();
        ThrowIfLost([.. partitions.Zip(claims).Select(c => edges[c.First].LossOf(c.First, c.Second)).OfType<LostRange>()], inner: null);
        var starts = new List<PartitionStart>(partitions.Count);
        foreach (var (partition, claim) in partitions.Zip(claims))
        {
            slots[partition] = new Slot(new PartitionWorker(Context(partition), claim, this, logger));
            starts.Add(new PartitionStart(partition, claim.Least.NextOffset));
            if (claim.BegunLate.Count > 0)
                BegunLate(logger, partition, string.Join(", ", claim.BegunLate), edges[partition].First, edges[partition].First - 1);
            if (budgetReaders.TryGetValue(partition.Topic, out var reader))
                reader.Release(partition.Partition, claim.Least.NextOffset);
            Claimed(logger, partition, claim.Least.NextOffset, claim.Epoch);
        }

        return starts;
    }

    public void Revoked(IReadOnlyList<PartitionId> partitions) => End(partitions, worker => worker.BeginDrain());

    public void Lost(IReadOnlyList<PartitionId> partitions) => End(partitions, worker => worker.Abort());

    public void Seek(PartitionWorker worker, long offset, int generation) => seeks.Enqueue((worker, offset, generation));

    public void Committed(PartitionId partition, long nextOffset)
    {
        committed[partition] = nextOffset;
        if (budgetReaders.TryGetValue(partition.Topic, out var reader))
            reader.Release(partition.Partition, nextOffset);
    }

    public void Released(PartitionId partition, long bytes)
    {
        if (slots.TryGetValue(partition, out var slot))
            Interlocked.Add(ref slot.QueuedBytes, -bytes);
        if (Interlocked.Add(ref queuedBytes, -bytes) <= options.QueuedMaxBytes)
            room.Set();
    }

    public void Dispose()
    {
        room.Dispose();
        foreach (var set in decoders.Values)
            set.Dispose();
    }

    private async Task<IReadOnlyDictionary<PartitionId, LogEdge>> LookAsync(LogPlan plan, IReadOnlyList<PartitionId> partitions) => Guard is { } guard
        ? await retry.RunAsync(token => guard.LookAsync(plan, partitions, token), stopping)
        : partitions.ToDictionary(p => p, _ => LogEdge.Whole);

    // Once drained, what the store says is what it will have: so the ranges are exact.
    private async Task ThrowLossesAsync(TopicGuard guard, Exception error)
    {
        var losses = new List<LostRange>();
        foreach (var (partition, held) in drained)
        {
            if (await guard.LossAsync(plans[partition.Topic], partition, held, CancellationToken.None) is { } loss)
                losses.Add(loss);
        }

        // Partitions that were just assigned are not among those that were drained.
        losses.AddRange((error as LogLossException)?.Losses.Where(l => losses.TrueForAll(o => o.Partition != l.Partition)) ?? []);
        ThrowIfLost(losses, error);
    }

    private void ThrowIfLost(IReadOnlyList<LostRange> losses, Exception? inner)
    {
        if (losses.Count == 0)
            return;
        var ordered = losses.OrderBy(l => l.Partition.Topic, StringComparer.Ordinal).ThenBy(l => l.Partition.Partition).ToList();
        throw new LogLossException(ordered, isBuiltBeside: !plans[ordered[0].Partition.Topic].OwnsLog, inner);
    }

    private int TickMs => Math.Clamp(Math.Min(options.CommitIntervalMs, options.IdleCheckMs) / 4, 5, 100);

    private void Poll()
    {
        try
        {
            source.Subscribe([.. plans.Keys], this);
            while (!stopping.IsCancellationRequested)
            {
                foreach (var slot in slots.Values.Where(s => s.Worker.Completion.IsFaulted))
                    slot.Worker.Completion.GetAwaiter().GetResult();
                DoSeeks();
                CommitForLag(force: false);
                WaitForRoom();
                var batch = pool.Rent();
                if (source.TryReadBatch(batch.Records, PollWait))
                    Dispatch(batch);
                else
                    pool.Return(batch);
            }
        }
        finally
        {
            drained = [.. slots.Select(s => (s.Key, s.Value.Worker.Held))];
            Revoked([.. drained.Select(d => d.Partition)]);
            CommitForLag(force: true);
        }
    }

    private void Dispatch(SharedBatch batch)
    {
        var runs = batch.Records.Runs;
        batch.Begin(runs.Count + 1);
        foreach (var run in runs)
        {
            if (!slots.TryGetValue(run.Partition, out var slot))
            {
                batch.Release();
                continue;
            }

            var slice = new RecordSlice(batch, run.First, run.Count, slot.Generation);
            var bytes = slice.Bytes;
            Interlocked.Add(ref queuedBytes, bytes);
            Interlocked.Add(ref slot.QueuedBytes, bytes);
            if (slot.Worker.TryEnqueue(slice))
                continue;
            Released(run.Partition, bytes);
            batch.Release();
        }

        foreach (var end in batch.Records.Ends)
        {
            if (slots.TryGetValue(end.Partition, out var slot))
                slot.Worker.EndSeen(end.Offset, slot.Generation);
        }

        batch.Release();
    }

    private void DoSeeks()
    {
        while (seeks.TryDequeue(out var seek))
        {
            // The partition may have come back with a new worker, which counts generations anew: the old one's seek would shut it out.
            if (!slots.TryGetValue(seek.Worker.Partition, out var slot) || slot.Worker != seek.Worker)
                continue;
            source.Seek(seek.Worker.Partition, seek.Offset);
            slot.Generation = seek.Generation;
        }
    }

    // Waiting keeps what the client has read ahead, which pausing throws away: so wait while there is progress, and pause only those partitions
    // that hold more than their share while there is none (one of them may wait for another to be read).
    private void WaitForRoom()
    {
        if (Volatile.Read(ref queuedBytes) > options.QueuedMaxBytes)
        {
            room.Reset();
            if (Volatile.Read(ref queuedBytes) > options.QueuedMaxBytes && !room.Wait(PollWait * 2, CancellationToken.None))
                SetPaused(pause: true);
        }
        else
        {
            SetPaused(pause: false);
        }
    }

    private void SetPaused(bool pause)
    {
        if (slots.IsEmpty)
            return;
        var share = options.QueuedMaxBytes / slots.Count;
        var changing = slots.Where(s => s.Value.Paused != pause && (pause ? Volatile.Read(ref s.Value.QueuedBytes) > share : Volatile.Read(ref s.Value.QueuedBytes) < share / 2)).ToList();
        if (changing.Count == 0)
            return;
        foreach (var (_, slot) in changing)
            slot.Paused = pause;
        var partitions = changing.ConvertAll(s => s.Key);
        if (pause)
            source.Pause(partitions);
        else
            source.Resume(partitions);
    }

    private void CommitForLag(bool force)
    {
        if (committed.IsEmpty || (!force && time.GetElapsedTime(lagCommittedAt) < LagCommitInterval))
            return;
        lagCommittedAt = time.GetTimestamp();
        source.CommitForLag([.. committed.Where(c => source.Assignment.Contains(c.Key)).Select(c => new PartitionStart(c.Key, c.Value))]);
        committed.Clear();
    }

    private void End(IReadOnlyList<PartitionId> partitions, Action<PartitionWorker> how)
    {
        var ending = partitions.Where(slots.ContainsKey).Select(p => slots[p].Worker).ToList();
        foreach (var worker in ending)
            how(worker);
        var all = Task.WhenAll(ending.Select(w => w.Completion));
        if (!((IAsyncResult)all).AsyncWaitHandle.WaitOne(options.DrainTimeoutMs))
        {
            foreach (var worker in ending.Where(w => !w.Completion.IsCompleted))
            {
                DrainTimedOut(logger, worker.Partition, options.DrainTimeoutMs);
                worker.Abort();
            }
        }

        foreach (var partition in partitions)
            slots.TryRemove(partition, out _);
        var fault = ending.Select(w => w.Completion.Exception).FirstOrDefault(e => e is not null);
        if (fault is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault.InnerException!);
    }

    private void TickAll()
    {
        foreach (var slot in slots.Values)
            slot.Worker.Tick();
    }

    private PartitionContext Context(PartitionId partition) =>
        new(plans[partition.Topic], partition, decoders[partition.Topic], store, outboxes, retry, metrics, options, time)
        {
            LookAtLogAsync = async token => Guard is { } guard ? (await guard.LookAsync(plans[partition.Topic], [partition], token))[partition] : LogEdge.Whole,
            Logger = logger,
            ResidentShare = () => options.ResidentMaxBytes / Math.Max(1, slots.Values.Sum(s => plans[s.Worker.Partition.Topic].Views.Count)),
        };

    private static KeyValuePair<string, object?>[] Tags(PartitionId partition) => [new("log", partition.Topic), new("partition", partition.Partition)];

    private sealed class Slot(PartitionWorker worker)
    {
        public long QueuedBytes;

        public PartitionWorker Worker { get; } = worker;

        /// <summary>Stamps what is read for this partition; follows the worker's once its seek is done.</summary>
        public int Generation { get; set; }

        public bool Paused { get; set; }
    }
}
