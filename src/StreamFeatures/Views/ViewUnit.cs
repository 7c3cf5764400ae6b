using System.Text;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.StreamFeatures.Views;

/// <summary>
/// One view over one log partition: the states in memory, which of them changed since the last commit, and the view's position. Not thread-safe.
/// </summary>
internal sealed class ViewUnit : IDisposable
{
    private readonly ViewInput input;
    private readonly byte[] statePrefix;
    private readonly List<int> missing = [];
    private readonly List<int> changed = [];
    private ViewStates states;
    private int[] ids = new int[4096];
    private RowOutcome[] outcomes = new RowOutcome[4096];
    private int[] changedIn = [];
    private byte[] resident = [];
    private int commitNumber = 1;
    private int committedNumber;
    private int evictHand;
    // False only while nothing was counted yet: then no state needs to be looked for.
    private bool storeHasStates;

    public ViewUnit(ViewProgram program, EventSchema batchSchema, PartitionId partition, PositionRecord position)
    {
        Program = program;
        input = new ViewInput(program, batchSchema);
        states = new ViewStates(program);
        statePrefix = Encoding.UTF8.GetBytes(LogNames.StatePrefix(partition, program.View.Name, program.Hash8));
        NextOffset = position.NextOffset;
        storeHasStates = position.NextOffset > position.FromOffset;
    }

    public ViewProgram Program { get; }

    /// <summary>The first offset that this view has not applied. Rows below are skipped: another view of the log is replaying.</summary>
    public long NextOffset { get; private set; }

    public int EntityCount => states.Count;

    public long MemoryBytes => states.MemoryBytes;

    /// <summary>States that the next commit will write.</summary>
    public int ChangedCount => changed.Count;

    /// <summary>What became of each row of the last batch, from <see cref="FirstRow"/> on.</summary>
    public ReadOnlySpan<RowOutcome> Outcomes => outcomes;

    /// <summary>The first row of the last batch that was not below <see cref="NextOffset"/>.</summary>
    public int FirstRow { get; private set; }

    /// <summary>Finds the entities of the batch's rows and adds the store keys of those whose state is not in memory to <paramref name="toLoad"/>.</summary>
    public void Bind(EventBatch batch, PackedBytes toLoad)
    {
        missing.Clear();
        FirstRow = NextOffset == 0 ? 0 : FirstAtOrAfter(batch, NextOffset);
        if (FirstRow == batch.Count)
            return;
        input.Bind(batch);
        if (ids.Length < batch.Count)
            (ids, outcomes) = (new int[batch.Count], new RowOutcome[batch.Count]);
        states.InternBatch(input, FirstRow, batch.Count, ids);
        if (states.Count > resident.Length)
            Grow(states.Count);
        for (var row = FirstRow; row < batch.Count; row++)
        {
            var id = ids[row];
            if (id >= 0 && resident[id] == 0)
                Miss(id);
        }

        foreach (var id in missing)
            toLoad.Add(statePrefix, states.KeyOf(id));
    }

    /// <summary>Takes the states that <see cref="Bind"/> asked for, from <paramref name="first"/> on; returns the index after them.</summary>
    public int Load(StoreValues values, int first)
    {
        foreach (var id in missing)
            states.Load(id, values[first++]);
        return first;
    }

    /// <summary>Applies the batch that was bound. The view stands at <paramref name="nextOffset"/> afterwards, if it was not past it.</summary>
    public void Apply(EventBatch batch, long nextOffset)
    {
        if (FirstRow < batch.Count)
        {
            states.Apply(input, FirstRow, batch.Count, ids, outcomes);
            for (var row = FirstRow; row < batch.Count; row++)
            {
                if (outcomes[row] != RowOutcome.Applied || changedIn[ids[row]] == commitNumber)
                    continue;
                changedIn[ids[row]] = commitNumber;
                changed.Add(ids[row]);
            }
        }

        NextOffset = Math.Max(NextOffset, nextOffset);
    }

    /// <summary>The log has no record below this offset that was not applied.</summary>
    public void SkipTo(long offset) => NextOffset = Math.Max(NextOffset, offset);

    /// <summary>Writes the changed states into the commit and starts the next one.</summary>
    public void WriteChanges(StoreCommit commit)
    {
        foreach (var id in changed)
        {
            states.Encode(id, commit.ValueWriter);
            commit.EndSet(statePrefix, states.KeyOf(id));
        }

        changed.Clear();
        commitNumber++;
    }

    /// <summary>All that <see cref="WriteChanges"/> wrote so far is in the store.</summary>
    public void Committed() => committedNumber = commitNumber - 1;

    /// <summary>
    /// Forgets states that the store has, round robin, until memory is below the budget or one round is done. Entities stay known by
    /// id; where those alone exceed the budget everything is dropped, if nothing waits for a commit.
    /// </summary>
    public void Evict(long budgetBytes)
    {
        for (var steps = states.Count; steps > 0 && states.MemoryBytes > budgetBytes; steps--)
        {
            evictHand = evictHand + 1 >= states.Count ? 0 : evictHand + 1;
            if (evictHand >= resident.Length || resident[evictHand] == 0 || changedIn[evictHand] > committedNumber)
                continue;
            states.Reset(evictHand);
            resident[evictHand] = 0;
            storeHasStates = true;
        }

        if (states.MemoryBytes <= budgetBytes || changed.Count > 0 || committedNumber != commitNumber - 1)
            return;
        states.Dispose();
        states = new ViewStates(Program);
        resident.AsSpan().Clear();
        changedIn.AsSpan().Clear();
        (evictHand, storeHasStates) = (0, true);
    }

    public void Dispose() => states.Dispose();

    private void Miss(int id)
    {
        resident[id] = 1;
        // A view that has written nothing before this worker has nothing to load.
        if (storeHasStates)
            missing.Add(id);
    }

    private void Grow(int count)
    {
        var size = Math.Max(1024, Math.Max(count, resident.Length * 2));
        Array.Resize(ref resident, size);
        Array.Resize(ref changedIn, size);
    }

    private static int FirstAtOrAfter(EventBatch batch, long offset)
    {
        var found = batch.Offsets.AsSpan(0, batch.Count).BinarySearch(offset);
        return found >= 0 ? found : ~found;
    }
}
