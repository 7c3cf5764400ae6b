using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>The right to send for one log partition, in transactions. One call at a time; any failure makes it void.</summary>
internal interface ITransactions : IDisposable
{
    /// <summary>
    /// What was committed may have come to nothing, as the client's broker was away since the right was taken: take it again before the next transaction. One that is open cannot
    /// be committed.
    /// </summary>
    bool IsInDoubt { get; }

    /// <summary>
    /// Takes the right over: nobody who had it before can commit anything from then on, and what they had under way is committed or aborted; all that offsets below
    /// <paramref name="passed"/> sent is seen by readers. Answers up to where more of it is, from there on: <paramref name="passed"/> itself where none is known.
    /// </summary>
    /// <param name="passed">The store has passed all below, or will.</param>
    /// <param name="cancellationToken">Ends the wait for the broker.</param>
    /// <exception cref="DeliveryException">Somebody else took it meanwhile.</exception>
    Task<long> TakeAsync(long passed, CancellationToken cancellationToken);

    void Begin();

    ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken);

    /// <summary>All that was sent since <see cref="Begin"/> becomes visible at once, with its note. Call when all is delivered.</summary>
    /// <exception cref="DeliveryException">It was aborted, or the right was taken over; then it may be committed all the same.</exception>
    Task CommitAsync(SentNote note, CancellationToken cancellationToken);

    /// <summary>The end of a target at this moment.</summary>
    Task<long> EndAsync(PartitionId target, CancellationToken cancellationToken);

    /// <summary>Whether the record would be refused again, so that nothing is gained by starting over.</summary>
    bool IsForGood(Exception? error);
}
