using Microsoft.Extensions.Logging.Abstractions;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.Simulation.Tests.Scheduling;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Partitions;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>
/// One worker process: the real partition workers and claims, between a polling loop that does what <c>LogRunner</c> does and the simulated store,
/// producer and clock. One thread only.
/// </summary>
internal sealed class Node : IPartitionRequests
{
    private const int QueuedMax = 3;

    private readonly World world;
    private readonly Retry retry;
    private readonly List<(PartitionId Partition, Slot Slot)> slots = [];
    private readonly List<Slot> ending = [];
    private readonly Queue<(PartitionWorker Worker, long Offset, int Generation)> seeks = new();

    public Node(World world, int id)
    {
        this.world = world;
        Id = id;
        Catalog = world.CatalogNow;
        Store = new NodeStore(world, this);
        Sink = new NodeSink(world, this);
        retry = new Retry(world.Options, Clock, NullLogger<Retry>.Instance);
    }

    public int Id { get; }

    /// <summary>What it was started with.</summary>
    public SimCatalog Catalog { get; }

    public SimScheduler Scheduler { get; } = new();

    public SimClock Clock { get; } = new();

    public NodeStore Store { get; }

    public NodeSink Sink { get; }

    /// <summary>Stopped until this time, as by SIGSTOP: nothing of it runs, what it has sent goes on.</summary>
    public long PausedUntilUs { get; set; }

    /// <summary>How far its clock is ahead of the world's.</summary>
    public long AheadUs { get; set; }

    public bool IsPaused => PausedUntilUs > world.NowUs;

    public bool IsAtRest => ending.Count == 0 && Sink.Queued == 0;

    public IEnumerable<PartitionId> Partitions => slots.Select(s => s.Partition);

    /// <summary>A worker that ended by itself; the process ends with it.</summary>
    public Exception? Failure => slots.Select(s => s.Slot.Failure).Concat(ending.Select(s => s.Failure)).FirstOrDefault(e => e is not null);

    /// <summary>The partition whose log no longer has what it reads next; the process ends with it.</summary>
    public PartitionId? Missing { get; private set; }

    public bool Has(PartitionId partition) => Find(partition) is not null;

    public void Assign(PartitionId partition)
    {
        var slot = new Slot();
        slots.Add((partition, slot));
        slot.Claiming = Scheduler.Start(() => ClaimAsync(partition, slot));
    }

    /// <summary>Whether the polling loop has yet to read this partition from where its worker wants it.</summary>
    public bool AwaitsSeek(PartitionId partition) => seeks.Any(s => s.Worker.Partition == partition);

    /// <summary>Drain and give up. Ends when <see cref="HasEnded"/>.</summary>
    public void Revoke(PartitionId partition) => End(partition, worker => worker.BeginDrain());

    public void Lost(PartitionId partition) => End(partition, worker => worker.Abort());

    /// <summary>Whether nothing of this partition runs here any more, or is about to.</summary>
    public bool HasEnded(PartitionId partition)
    {
        ending.RemoveAll(s => s.HasEnded);
        return !Has(partition) && !ending.Exists(s => s.Partition == partition && !s.IsAbandoned);
    }

    /// <summary>The drain took too long: the partition goes on without waiting for the worker to end.</summary>
    public void AbortDrains()
    {
        foreach (var slot in ending)
        {
            slot.IsAbandoned = true;
            slot.Worker?.Abort();
        }
    }

    /// <summary>One turn of the polling loop: seeks, then a batch over the partitions.</summary>
    public void Poll()
    {
        while (seeks.TryDequeue(out var seek))
        {
            var slot = world.Plant == Plant.SeekOfOldWorker ? Find(seek.Worker.Partition) : slots.Find(s => s.Slot.Worker == seek.Worker).Slot;
            if (slot is not null)
                (slot.Fetch, slot.Generation, slot.EndTold) = (seek.Offset, seek.Generation, -1);
        }

        var batch = world.Pool.Rent();
        foreach (var (partition, slot) in slots)
        {
            if (slot.Worker is not null && slot.Queued < QueuedMax && world.Random.Next(3) != 0)
                Read(partition, slot, batch.Records);
        }

        Dispatch(batch);
    }

    public void Tick()
    {
        foreach (var (_, slot) in slots)
            slot.Worker?.Tick();
    }

    /// <summary>Dies where it stands: no step of it changes anything any more. Runs what is left only to free memory.</summary>
    public void Kill()
    {
        Store.Cut();
        Sink.Cut();
        foreach (var partition in Partitions.ToList())
            Lost(partition);
        AbortDrains();
        for (var steps = 0; ending.Exists(s => !s.HasEnded); steps++)
        {
            if (Scheduler.Ready == 0 || steps > 100_000)
                throw new InvalidOperationException($"a worker does not end after it was aborted: {string.Join(", ", ending.Where(s => !s.HasEnded).Select(s => s.Partition))}");
            Scheduler.Run(0);
        }
    }

    public void Seek(PartitionWorker worker, long offset, int generation) => seeks.Enqueue((worker, offset, generation));

    public void Committed(PartitionId partition, long nextOffset)
    {
    }

    public void Released(PartitionId partition, long bytes)
    {
        if (Find(partition) is { } slot)
            slot.Queued--;
    }

    public override string ToString() => $"node {Id}";

    private async Task ClaimAsync(PartitionId partition, Slot slot)
    {
        slot.Partition = partition;
        var plan = Catalog.PlanOf(partition);
        var edge = await retry.RunAsync(token => LookAsync(plan, partition, token), slot.Stopping.Token);
        var claim = await retry.RunAsync(token => Claim.TakeAsync(Store, plan, partition, edge, held: null, token), slot.Stopping.Token);
        if (edge.LossOf(partition, claim) is { } loss)
            throw new LogLossException([loss], isBuiltBeside: false, null);
        if (slot.Stopping.IsCancellationRequested)
            return;
        var context = new PartitionContext(plan, partition, Catalog.DecodersOf(plan), Store, Sink, retry, SimCatalog.Metrics, world.OptionsOf(plan), Clock)
        {
            ResidentShare = () => world.ResidentMaxBytes,
            Scheduler = Scheduler,
            LookAtLogAsync = token => LookAsync(plan, partition, token),
        };
        slot.Fetch = claim.Least.NextOffset;
        slot.Worker = new PartitionWorker(context, claim, this, NullLogger.Instance);
    }

    /// <summary>Where the log begins, as the broker says; an archive has all that was before.</summary>
    private async Task<LogEdge> LookAsync(LogPlan plan, PartitionId partition, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<long>();
        await using var registration = cancellationToken.UnsafeRegister(_ => answer.TrySetCanceled(cancellationToken), null);
        world.Network.Post(this, "ask for the beginning", () =>
        {
            var start = world.Log.Start(partition);
            world.Network.Post(this, "answer", () => answer.TrySetResult(start));
        });
        var first = await answer.Task;
        return world.Plant switch
        {
            Plant.WhatRetentionTookIsSkipped => LogEdge.Whole,
            Plant.LostPositionBeginsAnew => new LogEdge(first, []),
            _ => new LogEdge(first, [.. plan.PositionKeys(partition).Select(_ => true)]),
        };
    }

    private void Read(PartitionId partition, Slot slot, RawRecordBatch into)
    {
        if (slot.Fetch < world.Log.Start(partition))
        {
            if (world.Plant != Plant.WhatRetentionTookIsSkipped)
            {
                Missing = partition;
                return;
            }

            slot.Fetch = world.Log.Start(partition);
        }

        var before = into.Count;
        slot.Fetch = world.Log.Read(partition, slot.Fetch, world.Random.Next(1, 12), into);
        if (into.Count > before || slot.EndTold == slot.Fetch)
            return;
        slot.EndTold = slot.Fetch;
        into.AppendEnd(partition, slot.Fetch);
    }

    private void Dispatch(SharedBatch batch)
    {
        var runs = batch.Records.Runs;
        batch.Begin(runs.Count + 1);
        foreach (var run in runs)
        {
            var slot = Find(run.Partition)!;
            slot.Queued++;
            if (slot.Worker!.TryEnqueue(new RecordSlice(batch, run.First, run.Count, slot.Generation)))
                continue;
            slot.Queued--;
            batch.Release();
        }

        foreach (var end in batch.Records.Ends)
        {
            var slot = Find(end.Partition)!;
            slot.Worker!.EndSeen(end.Offset, slot.Generation);
        }

        batch.Release();
    }

    private void End(PartitionId partition, Action<PartitionWorker> how)
    {
        if (Find(partition) is not { } slot)
            return;
        slots.RemoveAll(s => s.Slot == slot);
        ending.Add(slot);
        slot.Stopping.Cancel();
        if (slot.Worker is not null)
            how(slot.Worker);
    }

    private Slot? Find(PartitionId partition) => slots.Find(s => s.Partition == partition).Slot;

    private sealed class Slot
    {
        public PartitionId Partition { get; set; }

        public CancellationTokenSource Stopping { get; } = new();

        public Task Claiming { get; set; } = Task.CompletedTask;

        public PartitionWorker? Worker { get; set; }

        public long Fetch { get; set; }

        public int Generation { get; set; }

        public long EndTold { get; set; } = -1;

        public int Queued { get; set; }

        public bool IsAbandoned { get; set; }

        public bool HasEnded => Claiming.IsCompleted && (Worker is null || Worker.Completion.IsCompleted);

        /// <summary>However it is told to end, a worker ends well.</summary>
        public Exception? Failure => (Claiming.Exception ?? Worker?.Completion.Exception)?.InnerException
            ?? (Worker is { Completion.IsCanceled: true } ? new OperationCanceledException("the worker was cancelled instead of ending") : null);
    }
}
