namespace StreamMl.Simulation.Tests.Scheduling;

/// <summary>
/// The threads of one node: keeps everything that could run, and runs one when told. Nothing runs inline, so every continuation of an await is a
/// step of its own. One thread only.
/// </summary>
internal sealed class SimScheduler : TaskScheduler
{
    private readonly int thread = Environment.CurrentManagedThreadId;
    private readonly List<Task> ready = [];

    public int Ready => ready.Count;

    /// <summary>Something was scheduled from another thread: code under test left the simulation, and the seed no longer decides.</summary>
    public bool HasLeak { get; private set; }

    public void Run(int index)
    {
        var task = ready[index];
        ready[index] = ready[^1];
        ready.RemoveAt(ready.Count - 1);
        TryExecuteTask(task);
    }

    public Task Start(Func<Task> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    protected override void QueueTask(Task task)
    {
        HasLeak |= Environment.CurrentManagedThreadId != thread;
        ready.Add(task);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => ready;
}
