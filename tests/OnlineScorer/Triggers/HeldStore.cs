using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Tests.Triggers;

/// <summary>A store whose reads wait, once it is told to hold them, until a test lets each go, in any order. Thread-safe.</summary>
internal sealed class HeldStore(IStateStore inner) : IStateStore
{
    private readonly List<TaskCompletionSource> held = [];
    private volatile bool isHolding;

    /// <summary>Reads that have begun since <see cref="Hold"/>.</summary>
    public int Begun
    {
        get
        {
            lock (held)
                return held.Count;
        }
    }

    public void Hold() => isHolding = true;

    /// <summary>Lets the read of this index go.</summary>
    public void Release(int index)
    {
        lock (held)
            held[index].TrySetResult();
    }

    /// <summary>Lets all go, also those to come.</summary>
    public void ReleaseAll()
    {
        isHolding = false;
        lock (held)
            held.ForEach(h => h.TrySetResult());
    }

    public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken) => inner.CommitAsync(commit, cancellationToken);

    public async Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken)
    {
        if (isHolding)
        {
            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (held)
                held.Add(gate);
            await gate.Task.WaitAsync(cancellationToken);
        }

        return await inner.ReadAsync(keys, cancellationToken);
    }
}
