using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;

namespace StreamMl.StreamFeatures.Outgoing;

/// <summary>
/// The records that must be delivered before one commit. Sent on one thread, answered on others: thread-safe. Used once.
/// </summary>
internal sealed class Deliveries : IDeliveryListener
{
    private readonly Lock gate = new();
    private readonly Dictionary<PartitionId, long> ends = [];
    private readonly Dictionary<PartitionId, SentSpan> spans = [];
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int pending = 1; // the batch itself, until it is sealed
    private Exception? failure;

    /// <summary>One past the last delivered offset, by partition. Read after <see cref="WhenAllAsync"/>.</summary>
    public IReadOnlyDictionary<PartitionId, long> Ends => ends;

    /// <summary>Where the delivered ones lie. Read after <see cref="WhenAllAsync"/>.</summary>
    public IReadOnlyList<SentSpan> Spans => [.. spans.Values];

    /// <summary>One more is on its way.</summary>
    public void Sending() => Interlocked.Increment(ref pending);

    public void Delivered(PartitionId target, long offset)
    {
        lock (gate)
        {
            Pass(target, offset + 1);
            spans[target] = spans.TryGetValue(target, out var span)
                ? span with { First = Math.Min(span.First, offset), End = Math.Max(span.End, offset + 1) }
                : new SentSpan(target, offset, offset + 1);
        }

        Answered();
    }

    /// <summary>A record that is in the target already, below this offset.</summary>
    public void Passed(PartitionId target, long end)
    {
        lock (gate)
            Pass(target, end);
    }

    public void Failed(Exception error)
    {
        Interlocked.CompareExchange(ref failure, error, null);
        Answered();
    }

    /// <summary>Nothing more will be sent; ends when all are delivered, or when cancelled: then nothing is known of them. Call once.</summary>
    /// <exception cref="DeliveryException">One of them was not.</exception>
    public async Task WhenAllAsync(CancellationToken cancellationToken)
    {
        Answered();
        await using var registration = cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), done);
        await done.Task;
    }

    private void Pass(PartitionId target, long end) => ends[target] = Math.Max(ends.GetValueOrDefault(target), end);

    private void Answered()
    {
        if (Interlocked.Decrement(ref pending) > 0)
            return;
        if (Volatile.Read(ref failure) is { } error)
            done.TrySetException(new DeliveryException(error));
        else
            done.TrySetResult();
    }
}

/// <summary>A dead letter or repartitioned record was not delivered: the commit that passes it must not happen.</summary>
internal sealed class DeliveryException(Exception inner) : Exception($"a record could not be delivered before its commit: {inner.Message}", inner);
