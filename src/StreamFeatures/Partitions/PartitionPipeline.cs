using System.Reactive.Subjects;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;
using StreamMl.StreamFeatures.Commits;
using StreamMl.StreamFeatures.Decoding;
using StreamMl.StreamFeatures.Outgoing;
using StreamMl.StreamFeatures.Records;
using StreamMl.StreamFeatures.Views;

namespace StreamMl.StreamFeatures.Partitions;

/// <summary>
/// What becomes of the records of one log partition between a claim of its positions and the next: gate, decode, routes, views, ledger, and the
/// commits that they add up to. Thrown away whole when the store says otherwise. Not thread-safe.
/// </summary>
internal sealed class PartitionPipeline : IDisposable
{
    private readonly PartitionContext context;
    private readonly Claim claim;
    private readonly Subject<RecordSlice> slices = new();
    private readonly IDisposable subscription;
    private readonly PartitionDecoder decoder;
    private readonly ValueDecoder values;
    private readonly IOutbox outbox;
    private readonly DeadLetters deadLetters;
    private readonly Repartitioner repartitioner;
    private readonly PackedBytes toLoad = new();
    private readonly CommitBuffers buffers;
    private Deliveries deliveries = new();
    private LedgerCounts ledger;
    private byte[] rowBest = new byte[4096];
    private long logNext;
    private Task<CommitVerdict> applying = Task.FromResult(CommitVerdict.Committed);
    private CancellationToken stopping;

    public PartitionPipeline(PartitionContext context, Claim claim)
    {
        this.context = context;
        this.claim = claim;
        values = new ValueDecoder(context.Decoders);
        decoder = new PartitionDecoder(context.Plan, context.Partition, values, claim.Least);
        outbox = context.Outboxes.Open(context.Plan, context.Partition, claim.Positions[0].NextOffset);
        deadLetters = new DeadLetters(context.Plan, context.Partition, context.Outboxes, outbox);
        repartitioner = new Repartitioner(context.Plan, context.Partition, context.Outboxes, outbox);
        Views = [.. context.Plan.Views.Select((p, i) => new ViewUnit(p, context.Plan.BatchSchema, context.Partition, claim.Positions[i + 1]))];
        buffers = new CommitBuffers(context, claim, outbox);
        ledger = claim.Ledger;
        logNext = claim.Positions[0].NextOffset;
        NextOffset = claim.Least.NextOffset;
        subscription = slices.DecodeEvents(decoder).Subscribe(batch => applying = ApplyAsync(batch));
    }

    public IReadOnlyList<ViewUnit> Views { get; }

    /// <summary>The first offset that was not processed yet.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Records processed since the last commit was begun.</summary>
    public int UncommittedRecords { get; private set; }

    /// <summary>Whether a commit should not wait for more.</summary>
    public bool IsFull => UncommittedRecords >= context.Options.CommitMaxRecords || Views.Sum(v => v.ChangedCount) >= context.Options.CommitMaxStates;

    /// <summary>
    /// Processes the records; they may be released when this ends. At most a few thousand at a time, so that the batch stays in the cache. Any
    /// verdict but <see cref="CommitVerdict.Committed"/> says that the store no longer stands where this pipeline does: then it is void.
    /// </summary>
    public async ValueTask<CommitVerdict> ProcessAsync(RecordSlice slice, CancellationToken cancellationToken)
    {
        stopping = cancellationToken;
        await values.PrepareAsync(slice, cancellationToken);
        slices.OnNext(slice);
        return await applying;
    }

    /// <summary>
    /// The log was read up to this offset and has no more records below it: what is left are transaction markers and aborted records. The position moves past
    /// them with the next commit, so that it does not stay behind where retention cuts, or behind the end that others wait for.
    /// </summary>
    public void SkipTo(long offset)
    {
        if (offset <= NextOffset)
            return;
        decoder.SkipTo(offset);
        foreach (var view in Views)
            view.SkipTo(offset);
        logNext = Math.Max(logNext, offset);
        NextOffset = offset;
    }

    /// <summary>Everything processed since the last one, as a commit; the pipeline may go on while it is under way.</summary>
    public PendingCommit BeginCommit()
    {
        var commit = buffers.Rent();
        foreach (var view in Views)
            view.WriteChanges(commit);
        var pending = new PendingCommit(commit, deliveries, ledger, decoder.Position(claim.Epoch));
        deliveries = new Deliveries();
        UncommittedRecords = 0;
        return pending;
    }

    /// <summary>Sends what the commit depends on, then the commit. Call for one at a time, in order.</summary>
    public Task<CommitVerdict> FinishAsync(PendingCommit pending, CancellationToken cancellationToken) => buffers.FinishAsync(pending, cancellationToken);

    /// <summary>The commit is in the store.</summary>
    public void Committed(PendingCommit pending)
    {
        buffers.Committed(pending);
        var budget = context.ResidentMaxBytesPerView;
        foreach (var view in Views)
        {
            view.Committed();
            if (view.MemoryBytes > budget)
                view.Evict(budget);
        }
    }

    /// <summary>Whether the store still has the positions that this pipeline last wrote or claimed.</summary>
    public Task<CommitVerdict> VerifyAsync(CancellationToken cancellationToken) => buffers.VerifyAsync(cancellationToken);

    public void Dispose()
    {
        subscription.Dispose();
        slices.Dispose();
        outbox.Dispose();
        foreach (var view in Views)
            view.Dispose();
    }

    private async Task<CommitVerdict> ApplyAsync(EventBatch batch)
    {
        var next = decoder.Position(claim.Epoch).NextOffset;
        if (next == NextOffset)
            return CommitVerdict.Committed;
        var fromRow = FirstRowOfLog(batch);
        try
        {
            await SendBadRecordsAsync();
            await repartitioner.SendAsync(decoder, fromRow, deliveries, stopping);
        }
        catch (DeliveryException e)
        {
            return await buffers.WhyVoidAsync(e, stopping);
        }

        toLoad.Clear();
        foreach (var view in Views)
            view.Bind(batch, toLoad);
        if (toLoad.Count > 0 && await LoadStatesAsync() is var standing && standing != CommitVerdict.Committed)
            return standing;
        foreach (var view in Views)
            view.Apply(batch, next);
        Count(batch, fromRow);
        logNext = Math.Max(logNext, next);
        NextOffset = next;
        return CommitVerdict.Committed;
    }

    private async ValueTask SendBadRecordsAsync()
    {
        foreach (var bad in decoder.Bad)
        {
            if (decoder.Slice.Records.Records[bad.Row].Offset >= logNext)
                await deadLetters.SendAsync(decoder.Slice, bad, deliveries, stopping);
        }
    }

    // The positions are read in the same moment: a store that went back, and may be right again by the time of the commit, has other states.
    private async ValueTask<CommitVerdict> LoadStatesAsync()
    {
        buffers.AddPositionKeys(toLoad);
        using var stored = await context.Retry.RunAsync(token => context.Store.ReadAsync(toLoad, token), stopping);
        var at = 0;
        foreach (var view in Views)
            at = view.Load(stored, at);
        return buffers.JudgePositions(stored, at);
    }

    // Rows below the log's own position were counted, routed and dead-lettered before: only a new view replays them.
    private int FirstRowOfLog(EventBatch batch)
    {
        if (batch.Count == 0 || batch.Offsets[0] >= logNext)
            return 0;
        var found = batch.Offsets.AsSpan(0, batch.Count).BinarySearch(logNext);
        return found >= 0 ? found : ~found;
    }

    private void Count(EventBatch batch, int fromRow)
    {
        var records = decoder.Slice.Records.Records;
        var end = decoder.Slice.First + decoder.Slice.Count;
        var read = end - decoder.FirstRow;
        UncommittedRecords += read;
        if (decoder.FirstRow < end && records[decoder.FirstRow].Offset < logNext)
            read -= CountBelow(records[decoder.FirstRow..end]);
        var counts = Outcomes(batch, fromRow) with
        {
            Read = read,
            Duplicate = decoder.Duplicates.Count(row => IsOfLog(row)),
            DeadLettered = decoder.Bad.Count(bad => IsOfLog(bad.Row)),
        };
        ledger += counts;
        context.Metrics.Counted(context.Plan.Topic, counts);
    }

    private bool IsOfLog(int row) => decoder.Slice.Records.Records[row].Offset >= logNext;

    private int CountBelow(ReadOnlySpan<Infrastructure.Kafka.RawRecord> records)
    {
        var below = 0;
        while (below < records.Length && records[below].Offset < logNext)
            below++;
        return below;
    }

    // The best that any view or route made of each row: applied before late before filtered.
    private LedgerCounts Outcomes(EventBatch batch, int fromRow)
    {
        if (rowBest.Length < batch.Count)
            rowBest = new byte[batch.Count];
        for (var row = fromRow; row < batch.Count; row++)
            rowBest[row] = repartitioner.Routed[row] ? (byte)RowOutcome.Applied : (byte)RowOutcome.Filtered;
        foreach (var view in Views)
        {
            var outcomes = view.Outcomes;
            for (var row = Math.Max(fromRow, view.FirstRow); row < batch.Count; row++)
                rowBest[row] = Math.Min(rowBest[row], (byte)outcomes[row]);
        }

        Span<int> tally = [0, 0, 0];
        foreach (var best in rowBest.AsSpan(fromRow, batch.Count - fromRow))
            tally[best]++;
        return new LedgerCounts(0, tally[(int)RowOutcome.Applied], tally[(int)RowOutcome.Late], 0, tally[(int)RowOutcome.Filtered], 0);
    }
}
