using StreamMl.BatchBackfill.Logs;
using StreamMl.FeatureEngine.Log;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// One partition of a log while it is scanned: its gate, and the views' reads and rows. Records come in offset order, from one thread at a
/// time.
/// </summary>
internal sealed class PartitionScan(SourceDefinition source, ViewPartition[] views, bool byEventTime)
{
    private readonly LogGate gate = new(source, PositionRecord.Start);
    private long nextArrival;
    private long nextOffset;

    public ViewPartition[] Views => views;

    public long Records { get; private set; }

    /// <summary>All prefixes have been passed: what follows cannot be in any value.</summary>
    public bool IsDone => !byEventTime && nextArrival == long.MaxValue && nextOffset == long.MaxValue;

    public void Start()
    {
        foreach (var view in views)
        {
            view.ByArrival.Sort();
            view.ByOffset.Sort();
        }

        FindNext();
    }

    /// <param name="batch">The decoded records.</param>
    /// <param name="row">Which one.</param>
    /// <param name="inputs">By view; bound to the batch.</param>
    /// <param name="ids">By view and row; -1 where the view does not want the row.</param>
    public void Take(FeedBatch batch, int row, ViewInput[] inputs, int[][] ids)
    {
        var events = batch.Events;
        var offset = events.Offsets[row];
        var accepted = false;
        Records++;
        if (batch.Decoded[row] == 0)
            gate.AdmitUndecodable(offset, events.ArrivalTimesUs[row]);
        else
            accepted = gate.Admit(offset, events.ArrivalTimesUs[row], events.EventTimesUs[row], batch.SourcePartitions[row], batch.SourceOffsets[row], out _) == Disposition.Accepted;
        if (gate.ArrivalClockUs > nextArrival || offset >= nextOffset)
            Resolve(offset);
        if (!accepted)
            return;
        var watermarkUs = byEventTime ? events.EventTimesUs[row] : gate.WatermarkBeforeUs;
        for (var v = 0; v < views.Length; v++)
        {
            if (ids[v][row] >= 0)
                views[v].Rows!.Append(ids[v][row], watermarkUs, inputs[v], row);
        }
    }

    /// <summary>The end of the log: what is still open has all of it.</summary>
    public void Finish()
    {
        foreach (var view in views)
        {
            while (!view.ByArrival.IsDone)
            {
                if (byEventTime)
                    view.ByArrival.Resolve(view.ByArrival.NextBound + 1, view.ByArrival.NextBound);
                else
                    view.ByArrival.Resolve(gate.Position(0).NextOffset, gate.WatermarkUs);
            }

            while (!view.ByOffset.IsDone)
                view.ByOffset.Resolve(view.ByOffset.NextBound, gate.WatermarkUs);
        }
    }

    private void Resolve(long offset)
    {
        foreach (var view in views)
        {
            while (view.ByArrival.NextBound < gate.ArrivalClockUs)
                view.ByArrival.Resolve(offset, gate.WatermarkBeforeUs);
            while (view.ByOffset.NextBound <= offset)
                view.ByOffset.Resolve(view.ByOffset.NextBound, gate.WatermarkBeforeUs);
        }

        FindNext();
    }

    private void FindNext()
    {
        nextArrival = byEventTime ? long.MaxValue : views.Min(v => v.ByArrival.NextBound);
        nextOffset = views.Min(v => v.ByOffset.NextBound);
    }
}
