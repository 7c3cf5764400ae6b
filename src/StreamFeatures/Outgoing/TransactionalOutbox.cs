using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>
/// One transaction per commit of the store, committed before it. A worker that dies, or is fenced, in between leaves records that are in their topics and not passed
/// by the store: whoever goes on at that position learns from the transaction's note that they are there, and does not send them again (docs/adr/0011).
/// </summary>
internal sealed class TransactionalOutbox(ITransactions transactions, long nextOffset, bool isRoute) : IOutbox
{
    private readonly Dictionary<PartitionId, long> endsOfSkipped = [];
    private Task sealing = Task.CompletedTask;
    private long from = nextOffset;
    private long sentTo;
    private bool isTaken;
    private bool isOpen;

    public async ValueTask SendAsync(
        long sourceOffset, PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries,
        CancellationToken cancellationToken)
    {
        if (!isTaken)
            await TakeAsync(cancellationToken);
        if (sourceOffset < sentTo)
        {
            await SkipAsync(target, deliveries, cancellationToken);
            return;
        }

        if (!isOpen)
        {
            // A producer has one transaction at a time: the last one's outcome comes first.
            await sealing;
            if (transactions.IsInDoubt)
                await TakeAsync(cancellationToken);
            transactions.Begin();
            isOpen = true;
        }

        await transactions.SendAsync(target, key, value, timestampUs, headers, deliveries, cancellationToken);
    }

    public Task SealAsync(Deliveries deliveries, long nextOffset, CancellationToken cancellationToken)
    {
        var range = new SentRange(from, Math.Max(from, nextOffset));
        var isToCommit = isOpen;
        (from, isOpen) = (range.To, false);
        return sealing = SealAsync(deliveries, isToCommit ? range : null, cancellationToken);
    }

    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        await sealing;
        if (!isOpen && (isTaken ? transactions.IsInDoubt : isRoute))
            await TakeAsync(cancellationToken);
    }

    public void Dispose() => _ = FreeAsync();

    // An aborted pipeline leaves a seal under way: the client must not be freed while that sends its note. Comes back to the worker's scheduler, as every await does.
    private async Task FreeAsync()
    {
        await sealing.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        transactions.Dispose();
    }

    private async Task TakeAsync(CancellationToken cancellationToken)
    {
        sentTo = await transactions.TakeAsync(from, cancellationToken);
        isTaken = true;
    }

    // Where exactly it lies is not known; that it lies below the present end is.
    private async ValueTask SkipAsync(PartitionId target, Deliveries deliveries, CancellationToken cancellationToken)
    {
        if (!endsOfSkipped.TryGetValue(target, out var end))
            endsOfSkipped[target] = end = await transactions.EndAsync(target, cancellationToken);
        deliveries.Passed(target, end);
    }

    private async Task SealAsync(Deliveries deliveries, SentRange? range, CancellationToken cancellationToken)
    {
        try
        {
            await deliveries.WhenAllAsync(cancellationToken);
        }
        catch (DeliveryException e) when (transactions.IsForGood(e.InnerException))
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException!);
        }

        if (range is { } sent)
            await transactions.CommitAsync(new SentNote(sent, deliveries.Spans), cancellationToken);
    }
}
