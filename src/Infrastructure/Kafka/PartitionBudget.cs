namespace StreamMl.Infrastructure.Kafka;

/// <summary>The budget of one partition: bytes under way, delivered bytes by offset, and producers that wait.</summary>
internal sealed class PartitionBudget(long limit)
{
    /// <summary>Deliveries are kept as runs of about this many bytes: a few hundred entries instead of one per record.</summary>
    private const int RunBytes = 16_384;

    private readonly Lock gate = new();
    private readonly LinkedList<(long LastOffset, int Bytes)> delivered = new();
    private readonly Queue<Waiter> waiters = new();
    private long held;

    public long Held
    {
        get
        {
            lock (gate) return held;
        }
    }

    public bool TryReserve(int bytes)
    {
        lock (gate)
        {
            if (waiters.Count > 0 || !Fits(bytes)) return false;
            held += bytes;
            return true;
        }
    }

    public ValueTask ReserveAsync(int bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Waiter waiter;
        lock (gate)
        {
            if (waiters.Count == 0 && Fits(bytes))
            {
                held += bytes;
                return ValueTask.CompletedTask;
            }

            waiter = new Waiter(bytes);
            waiters.Enqueue(waiter);
        }

        return new ValueTask(WaitAsync(waiter, cancellationToken));
    }

    public void Delivered(long offset, int bytes, long leastPosition)
    {
        lock (gate)
        {
            if (offset < leastPosition)
            {
                held -= bytes;
            }
            else if (delivered.Last is { } last && last.Value.Bytes + bytes <= RunBytes)
            {
                last.Value = (Math.Max(offset, last.Value.LastOffset), last.Value.Bytes + bytes);
            }
            else
            {
                delivered.AddLast((offset, bytes));
            }

            Serve();
        }
    }

    public void Failed(int bytes)
    {
        lock (gate)
        {
            held -= bytes;
            Serve();
        }
    }

    public void Release(long leastPosition)
    {
        lock (gate)
        {
            while (delivered.First is { } first && first.Value.LastOffset < leastPosition)
            {
                held -= first.Value.Bytes;
                delivered.RemoveFirst();
            }

            Serve();
        }
    }

    private async Task WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.Register(() => Cancel(waiter, cancellationToken));
        await waiter.Completion.Task;
    }

    private void Cancel(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            // A waiter that was served keeps its bytes: its task has ended well.
            if (!waiter.Completion.TrySetCanceled(cancellationToken)) return;
            Serve();
        }
    }

    private bool Fits(int bytes) => held == 0 || held + bytes <= limit;

    private void Serve()
    {
        while (waiters.TryPeek(out var waiter))
        {
            if (!waiter.Completion.Task.IsCompleted)
            {
                if (!Fits(waiter.Bytes)) return;
                held += waiter.Bytes;
                waiter.Completion.TrySetResult();
            }

            waiters.Dequeue();
        }
    }

    private sealed class Waiter(int bytes)
    {
        public int Bytes { get; } = bytes;

        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
