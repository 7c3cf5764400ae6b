using StreamMl.Shared.Store;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>
/// The store as one node sees it, over the network. A commit is read from the caller's buffers when it arrives, as a client does that sends from
/// them: one that is written to too early shows.
/// </summary>
internal sealed class NodeStore(World world, Node node) : IStateStore
{
    private static readonly CommitResult Ambiguous = new(CommitStatus.Ambiguous, [], new TimeoutException("simulated"));

    private readonly HashSet<Action> open = [];
    private bool isCut;

    public Task<CommitResult> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        var (answer, give, fail) = Open<CommitResult>(cancellationToken);
        if (answer.IsCompleted)
            return answer;
        var lost = world.Plant == Plant.LostAnswerIsSuccess ? CommitResult.Committed : Ambiguous;
        if (world.Faults.Strikes(Fault.RefusedConnection, 100))
            world.Network.Post(node, "commit: no connection", () => fail(Unavailable()));
        else if (world.Faults.Strikes(Fault.LostRequest, 200))
            world.Network.Post(node, "commit: request lost", () => give(lost));
        else if (world.Faults.Strikes(Fault.LateRequest, 200))
            Late(commit, give, lost);
        else
            Send(commit, give, lost);
        return answer;
    }

    public Task<StoreValues> ReadAsync(PackedBytes keys, CancellationToken cancellationToken)
    {
        var (answer, give, fail) = Open<StoreValues>(cancellationToken);
        if (answer.IsCompleted)
            return answer;
        if (world.Faults.Strikes(Fault.LostRead, 200))
        {
            world.Network.Post(node, "read: lost", () => fail(Unavailable()));
            return answer;
        }

        void Lose() => world.Network.Post(node, "read: torn", () => fail(Unavailable()));
        world.Network.Post(node, "read", () =>
        {
            if (answer.IsCompleted)
                return;
            var values = world.Faults.Strikes(Fault.StaleRead, 200) ? world.Store.ReadStale(keys) : world.Store.Read(keys);
            world.Network.Post(node, "read: answer", () => give(values), Lose);
        }, Lose);
        return answer;
    }

    /// <summary>The node is dead: nothing is answered any more, and what it still asks is not asked.</summary>
    public void Cut()
    {
        isCut = true;
        foreach (var cancel in open.ToList())
            cancel();
    }

    private void Send(StoreCommit commit, Action<CommitResult> give, CommitResult lost) =>
        world.Network.Post(node, "commit", () =>
        {
            var result = world.Store.Apply(commit);
            if (world.Faults.Strikes(Fault.LostAnswer, 200))
                result = lost;
            world.Network.Post(node, "commit: answer", () => give(result), () => world.Network.Post(node, "commit: answer torn", () => give(lost)));
        }, () =>
        {
            if (world.Random.Next(2) == 0)
                Late(commit, give, lost);
            else
                world.Network.Post(node, "commit: torn", () => give(lost));
        });

    // The caller has given up, and then it comes.
    private void Late(StoreCommit commit, Action<CommitResult> give, CommitResult lost)
    {
        world.Network.Post(node, "commit: given up", () => give(lost));
        world.Network.PostLate(node, "commit: comes late", () => world.Store.Apply(commit));
    }

    private (Task<T> Answer, Action<T> Give, Action<Exception> Fail) Open<T>(CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<T>();
        if (isCut)
        {
            answer.SetCanceled(CancellationToken.None);
            return (answer.Task, _ => { }, _ => { });
        }

        void Cancel() => answer.TrySetCanceled(cancellationToken);
        open.Add(Cancel);
        var registration = cancellationToken.UnsafeRegister(_ => Cancel(), null);
        void Close()
        {
            open.Remove(Cancel);
            registration.Dispose();
        }

        return (answer.Task, value =>
        {
            Close();
            answer.TrySetResult(value);
        }, error =>
        {
            Close();
            answer.TrySetException(error);
        }
        );
    }

    private static StoreUnavailableException Unavailable() => new("simulated", null);
}
