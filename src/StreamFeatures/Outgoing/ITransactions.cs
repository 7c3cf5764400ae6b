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
    /// Takes the right over: nobody who had it before can commit anything from then on, what they had under way is committed or aborted, and what they were told is committed is
    /// seen by readers. Answers up to where all is that the source offsets from this one on send: the offset itself where nothing is known.
    /// </summary>
    /// <exception cref="DeliveryException">Somebody else took it meanwhile, or the broker is away.</exception>
    Task<long> TakeAsync(long nextOffset, CancellationToken cancellationToken);

    void Begin();

    ValueTask SendAsync(
        PartitionId target, byte[]? key, byte[] value, long timestampUs, IReadOnlyList<OutgoingHeader> headers, Deliveries deliveries, CancellationToken cancellationToken);

    /// <summary>All that was sent since <see cref="Begin"/> becomes visible at once, with its note. Call when all is delivered.</summary>
    /// <exception cref="DeliveryException">It was aborted, or the right was taken over; then it may be committed all the same.</exception>
    Task CommitAsync(SentNote note, CancellationToken cancellationToken);

    /// <summary>The end of a target at this moment.</summary>
    /// <exception cref="DeliveryException">The broker is away.</exception>
    Task<long> EndAsync(PartitionId target, CancellationToken cancellationToken);

    /// <summary>Whether the record would be refused again, so that nothing is gained by starting over.</summary>
    bool IsForGood(Exception? error);
}
