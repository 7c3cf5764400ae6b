using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Logs;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures.Partitions;

/// <summary>What a partition's worker tells the polling thread, which owns the consumer. Thread-safe.</summary>
internal interface IPartitionRequests
{
    /// <summary>Read this worker's partition from here on; slices read from then on carry the generation. Void once the partition has another worker.</summary>
    void Seek(PartitionWorker worker, long offset, int generation);

    /// <summary>All below this offset is in the store.</summary>
    void Committed(PartitionId partition, long nextOffset);

    /// <summary>So many bytes of records are done with.</summary>
    void Released(PartitionId partition, long bytes);
}

/// <summary>
/// Runs the pipeline of one assigned partition on the context's scheduler, one thing at a time: applies slices, and keeps one commit under way while it
/// applies the next ones. Members are thread-safe.
/// </summary>
internal sealed partial class PartitionWorker : IDisposable
{
    private const int ChunkRecords = 4096;

    private readonly PartitionContext context;
    private readonly IPartitionRequests requests;
    private readonly ILogger logger;
    private readonly Channel<Message> inbox = Channel.CreateUnbounded<Message>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource draining = new();
    private readonly CancellationTokenSource aborted = new();
    private PartitionPipeline? pipeline;
    private Claim held;
    private (PendingCommit Commit, Task<CommitVerdict> Task, long Since)? underWay;
    private long endSeen = -1;
    private long endReached;
    private long uncommittedSince;
    private long quietSince;
    private int generation;
    private int tickPending;

    public PartitionWorker(PartitionContext context, Claim claim, IPartitionRequests requests, ILogger logger)
    {
        this.context = context;
        this.requests = requests;
        this.logger = logger;
        held = claim;
        pipeline = new PartitionPipeline(context, claim);
        CommittedOffset = claim.Least.NextOffset;
        quietSince = context.Time.GetTimestamp();
        Completion = Task.Factory.StartNew(RunAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, context.Scheduler).Unwrap();
    }

    private enum MessageKind : byte
    {
        Slice,
        End,
        Tick,
        CommitDone,
    }

    public PartitionId Partition => context.Partition;

    /// <summary>The positions as they were last claimed.</summary>
    public Claim Held => Volatile.Read(ref held);

    /// <summary>Ends when drained or aborted; fails with what cannot be healed by trying again.</summary>
    public Task Completion { get; }

    /// <summary>Entities in memory, by view name.</summary>
    public IEnumerable<(string View, int Entities)> Entities => pipeline?.Views.Select(v => (v.Program.View.Name, v.EntityCount)).ToList() ?? [];

    public long MemoryBytes => pipeline?.Views.Sum(v => v.MemoryBytes) ?? 0;

    /// <summary>Records known to be in the log and not in the store.</summary>
    public long Lag => Math.Max(0, Math.Max(Volatile.Read(ref endSeen), ReadOffset) - CommittedOffset);

    /// <summary>One past the last record that was handed to this worker.</summary>
    public long ReadOffset { get; private set; }

    /// <summary>All below is in the store: what was claimed, then what was committed.</summary>
    public long CommittedOffset { get; private set; }

    /// <summary>Takes a slice of the current generation; false (and not taken) for any other, or when draining.</summary>
    public bool TryEnqueue(RecordSlice slice)
    {
        if (slice.Generation != Volatile.Read(ref generation) || draining.IsCancellationRequested || !inbox.Writer.TryWrite(new Message(MessageKind.Slice, slice, 0)))
            return false;
        ReadOffset = slice.Records.Records[slice.First + slice.Count - 1].Offset + 1;
        return true;
    }

    /// <summary>The log ended here a moment ago, as a reader of this generation found it behind the slices that were enqueued before.</summary>
    public void EndSeen(long offset, int readGeneration) => inbox.Writer.TryWrite(new Message(MessageKind.End, default, offset, readGeneration));

    /// <summary>Time has passed: what is due is done.</summary>
    public void Tick()
    {
        if (Interlocked.Exchange(ref tickPending, 1) == 0)
            inbox.Writer.TryWrite(new Message(MessageKind.Tick, default, 0));
    }

    /// <summary>Takes no more, commits what was applied and ends.</summary>
    public void BeginDrain()
    {
        draining.Cancel();
        inbox.Writer.TryComplete();
    }

    /// <summary>Ends without another commit: the partition is somebody else's.</summary>
    public void Abort()
    {
        aborted.Cancel();
        BeginDrain();
    }

    public void Dispose()
    {
        draining.Dispose();
        aborted.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (await inbox.Reader.WaitToReadAsync(aborted.Token))
            {
                while (inbox.Reader.TryRead(out var message))
                {
                    await HandleAsync(message);
                    BeginCommitIfDue();
                }
            }

            await DrainAsync();
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested)
        {
            Aborted(logger, Partition);
        }
        finally
        {
            inbox.Writer.TryComplete();
            while (inbox.Reader.TryRead(out var message))
                Release(message);
            pipeline?.Dispose();
            pipeline = null;
        }
    }

    private async ValueTask HandleAsync(Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.Slice:
                try
                {
                    await ProcessAsync(message.Slice);
                }
                finally
                {
                    Release(message);
                }

                break;
            case MessageKind.End:
                Volatile.Write(ref endSeen, message.Offset);
                if (message.Generation == generation)
                    endReached = message.Offset;
                break;
            case MessageKind.CommitDone when underWay is { Task.IsCompleted: true }:
                await SettleAsync();
                break;
            case MessageKind.Tick:
                Volatile.Write(ref tickPending, 0);
                await VerifyIfQuietAsync();
                break;
        }
    }

    private async ValueTask ProcessAsync(RecordSlice slice)
    {
        for (var at = 0; at < slice.Count; at += ChunkRecords)
        {
            if (slice.Generation != generation || draining.IsCancellationRequested)
                return;
            if (underWay is not null && pipeline!.IsFull)
            {
                await SettleAsync();
                if (slice.Generation != generation)
                    return;
                BeginCommitIfDue();
            }

            if (pipeline!.UncommittedRecords == 0)
                uncommittedSince = context.Time.GetTimestamp();
            var standing = await pipeline.ProcessAsync(slice.Part(at, Math.Min(ChunkRecords, slice.Count - at)), aborted.Token);
            if (standing != CommitVerdict.Committed)
            {
                await GiveUpAsync(standing);
                return;
            }

            BeginCommitIfDue();
        }
    }

    // Caught up: at once, for latency. Behind: as much as the bounds allow, so that a state that changes often is written seldom.
    private void BeginCommitIfDue()
    {
        if (underWay is not null || pipeline is not { UncommittedRecords: > 0 } p)
            return;
        if (endSeen >= p.NextOffset || p.IsFull || context.Time.GetElapsedTime(uncommittedSince).TotalMilliseconds >= context.Options.CommitIntervalMs)
            BeginCommit(p);
    }

    private void BeginCommit(PartitionPipeline p)
    {
        var commit = p.BeginCommit();
        var task = p.FinishAsync(commit, aborted.Token);
        underWay = (commit, task, context.Time.GetTimestamp());
        _ = task.ContinueWith(
            static (_, state) => ((ChannelWriter<Message>)state!).TryWrite(new Message(MessageKind.CommitDone, default, 0)),
            inbox.Writer, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async ValueTask SettleAsync()
    {
        var (commit, task, since) = underWay!.Value;
        var verdict = await task;
        underWay = null;
        quietSince = context.Time.GetTimestamp();
        if (verdict != CommitVerdict.Committed)
        {
            await StartOverAsync(verdict);
            return;
        }

        pipeline!.Committed(commit);
        CommittedOffset = commit.Position.NextOffset;
        context.Metrics.Committed(Partition.Topic, commit.States, context.Time.GetElapsedTime(since));
        requests.Committed(Partition, CommittedOffset);
    }

    private async ValueTask VerifyIfQuietAsync()
    {
        if (underWay is not null || pipeline is not { UncommittedRecords: 0 } p || draining.IsCancellationRequested)
            return;
        if (context.Time.GetElapsedTime(quietSince).TotalMilliseconds < context.Options.IdleCheckMs)
            return;
        quietSince = context.Time.GetTimestamp();
        if (endReached > p.NextOffset)
        {
            // A commit says all that a look would.
            p.SkipTo(endReached);
            BeginCommit(p);
            return;
        }

        try
        {
            var verdict = await p.VerifyAsync(draining.Token);
            if (verdict != CommitVerdict.Committed)
                await StartOverAsync(verdict);
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested)
        {
            // All is committed: what the store has now is the next owner's to ask.
        }
    }

    // The commit under way is settled first: its task must not be forgotten, and it may have started over already.
    private async ValueTask GiveUpAsync(CommitVerdict why)
    {
        var before = generation;
        if (underWay is not null)
            await SettleAsync();
        if (generation == before)
            await StartOverAsync(why);
    }

    // Everything in memory is void: what the store says is the truth.
    private async ValueTask StartOverAsync(CommitVerdict why)
    {
        if (why == CommitVerdict.Fenced && !context.Plan.OwnsLog)
            throw new TakenOverException(Partition);
        Interlocked.Increment(ref generation);
        endReached = 0;
        StartingOver(logger, Partition, pipeline!.NextOffset, why);
        context.Metrics.StartedOver(Partition.Topic, why.ToString());
        pipeline.Dispose();
        pipeline = null;
        try
        {
            // A fenced worker waits for the group to say so; should it not, the claim was a mistake and this worker takes it back.
            if (why == CommitVerdict.Fenced)
                await Task.Delay(TimeSpan.FromMilliseconds(10L * context.Options.IdleCheckMs), context.Time, draining.Token);
            held = await context.Retry.RunAsync(ClaimAsync, draining.Token);
            pipeline = new PartitionPipeline(context, held);
            CommittedOffset = held.Least.NextOffset;
            requests.Seek(this, held.Least.NextOffset, generation);
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested)
        {
            // Nothing is held: there is nothing to drain.
        }
    }

    private async Task<Claim> ClaimAsync(CancellationToken cancellationToken)
    {
        var edge = await context.LookAtLogAsync(cancellationToken);
        var claim = await Claim.TakeAsync(context.Store, context.Plan, Partition, edge, held, cancellationToken);
        if (edge.LossOf(Partition, claim) is { } loss)
            throw new LogLossException([loss], isBuiltBeside: !context.Plan.OwnsLog, null);
        if (claim.BegunLate.Count > 0)
            LogRunner.BegunLate(logger, Partition, string.Join(", ", claim.BegunLate), edge.First, edge.First - 1);
        return claim;
    }

    private async Task DrainAsync()
    {
        if (underWay is not null)
            await SettleAsync();
        if (pipeline is { UncommittedRecords: > 0 } p && !aborted.IsCancellationRequested)
        {
            BeginCommit(p);
            await SettleAsync();
        }

        Drained(logger, Partition, CommittedOffset);
    }

    private void Release(Message message)
    {
        if (message.Kind != MessageKind.Slice)
            return;
        requests.Released(Partition, message.Slice.Bytes);
        message.Slice.Release();
    }

    private readonly record struct Message(MessageKind Kind, RecordSlice Slice, long Offset, int Generation = 0);
}
