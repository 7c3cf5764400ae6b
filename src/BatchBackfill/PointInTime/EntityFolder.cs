using StreamMl.FeatureEngine.Services;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// Folds rows, entity after entity, through one state of the engine, and answers each entity's reads at their prefixes on the way. The state
/// is reset from entity to entity, so it stays in the cache. Not thread-safe.
/// </summary>
internal sealed unsafe class EntityFolder : IDisposable
{
    private const int Capacity = 2048;
    private const int Slot = 0;

    private readonly ServiceView view;
    private RowLayout layout;
    private readonly FeatureScratch output;
    private readonly bool byEventTime;
    private readonly EventBatch batch;
    private readonly ViewInput input;
    private readonly ViewStates states;
    private readonly int[] entityOfRow = new int[Capacity];
    private readonly RowOutcome[] outcomes = new RowOutcome[Capacity];
    private readonly FeatureRow row;
    private readonly FeatureRow viewRow;
    private ViewPartition partition;
    private int current = -1;
    private int nextRead;

    /// <param name="view">Whose values are read.</param>
    /// <param name="serviceColumns">Width of the service's row.</param>
    /// <param name="output">Takes the values.</param>
    /// <param name="byEventTime">Rows are ordered, and prefixes end, by event time and not by offset.</param>
    /// <param name="partition">Whose entities come first.</param>
    public EntityFolder(ServiceView view, int serviceColumns, FeatureScratch output, bool byEventTime, ViewPartition partition)
    {
        (this.view, this.output, this.byEventTime, this.partition) = (view, output, byEventTime, partition);
        layout = partition.Rows!.Layout;
        batch = new EventBatch(layout.Columns, Capacity);
        input = ViewInput.ForAggregated(view.Program);
        states = new ViewStates(view.Program);
        states.Intern([]);
        row = new FeatureRow(serviceColumns);
        viewRow = new FeatureRow(view.Program.Outputs.Count);
    }

    /// <summary>Goes on with another partition of the same view; finishes the one before.</summary>
    public void Start(ViewPartition next)
    {
        Finish();
        partition = next;
        layout = next.Rows!.Layout;
    }

    /// <summary>Takes the next row of the same or another entity; the rows of an entity come together, in order.</summary>
    public void Push(byte* from)
    {
        var at = batch.Count;
        layout.Read(from, batch, at);
        entityOfRow[at] = RowLayout.EntityOf(from);
        batch.Count = at + 1;
        if (batch.Count == Capacity)
            Drain();
    }

    /// <summary>Answers what is left.</summary>
    public void Finish()
    {
        Drain();
        LeaveEntity();
        current = -1;
    }

    /// <summary>Answers the reads of an entity that has no row.</summary>
    public void ReadEmpty(int entity)
    {
        Finish();
        foreach (var read in partition.ReadsOf(entity))
            Answer(in partition.Read(read));
    }

    public void Dispose() => states.Dispose();

    private void Drain()
    {
        if (batch.Count == 0)
            return;
        input.Bind(batch);
        for (var from = 0; from < batch.Count;)
        {
            var entity = entityOfRow[from];
            if (entity != current)
                EnterEntity(entity);
            var to = from + 1;
            while (to < batch.Count && entityOfRow[to] == entity)
                to++;
            Fold(from, to);
            from = to;
        }

        batch.Clear();
    }

    private void EnterEntity(int entity)
    {
        LeaveEntity();
        current = entity;
        nextRead = 0;
    }

    private void LeaveEntity()
    {
        if (current < 0)
            return;
        var reads = partition.ReadsOf(current);
        for (; nextRead < reads.Length; nextRead++)
            Answer(in partition.Read(reads[nextRead]));
        states.Reset(Slot);
    }

    private void Fold(int from, int to)
    {
        var keys = byEventTime ? batch.EventTimesUs : batch.Offsets;
        var reads = partition.ReadsOf(current);
        while (from < to && nextRead < reads.Length)
        {
            ref readonly var read = ref partition.Read(reads[nextRead]);
            var end = from;
            while (end < to && keys[end] < read.Bound)
                end++;
            if (end > from)
                states.Apply(input, from, end, Slot, outcomes);
            from = end;
            if (end == to)
                return;
            Answer(in read);
            nextRead++;
        }
    }

    private void Answer(in ViewRead read)
    {
        row.Arena.Clear();
        if (view.DirectColumn >= 0)
        {
            states.Read(Slot, read.AsOfUs, read.WatermarkUs, row, view.DirectColumn);
        }
        else
        {
            viewRow.Clear();
            states.Read(Slot, read.AsOfUs, read.WatermarkUs, viewRow, 0);
            view.Pick(viewRow, row);
        }

        output.Write(read.SpineRow, row);
    }
}
