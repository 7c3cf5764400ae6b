using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>Source offsets whose records one transaction sent: from where the store stood, up to where it was to go. <paramref name="To"/> is not in it.</summary>
internal readonly record struct SentRange(long From, long To);

/// <summary>The right to send for one log partition, in transactions. One call at a time; any failure makes it void.</summary>
internal interface ITransactions : IDisposable
{
    /// <summary>
    /// Takes the right over: nobody who had it before can commit anything from then on, and what they had under way is committed or aborted. Answers what the
    /// last committed transaction sent; null where that is not known.
    /// </summary>
    /// <exception cref="DeliveryException">Somebody else took it meanwhile.</exception>
    Task<SentRange?> TakeAsync(CancellationToken cancellationToken);

    void Begin();

    ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken);

    /// <summary>All that was sent since <see cref="Begin"/> becomes visible at once, with the note of its range. Call when all is delivered.</summary>
    /// <exception cref="DeliveryException">It was aborted, or the right was taken over; then it may be committed all the same.</exception>
    Task CommitAsync(SentRange range, CancellationToken cancellationToken);

    /// <summary>The end of a target at this moment.</summary>
    Task<long> EndAsync(PartitionId target, CancellationToken cancellationToken);

    /// <summary>Whether the record would be refused again, so that nothing is gained by starting over.</summary>
    bool IsForGood(Exception? error);
}
