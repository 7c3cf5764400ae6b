using StreamMl.BatchBackfill.Spines;
using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>The prefix that an online read of a row reported, if it was made.</summary>
internal interface IServedPrefixes
{
    /// <summary>A view for which there is no prefix was not read at all; otherwise the rule for rows that were never served holds.</summary>
    bool OnlyServed { get; }

    /// <summary>The partition and the offset behind the prefix that the view was read at for this row, or null.</summary>
    (int Partition, long NextOffset)? Find(EventBatch spine, int row, string view);
}

/// <summary>Turns spine rows into the reads of views over one log, by the table in semantics.md. Pure.</summary>
/// <param name="spine">The rows.</param>
/// <param name="servingDelayUs">How long before a label row's time an event must have arrived.</param>
/// <param name="eventTimeDelayUs">In event-time mode, from an event to when it is known; null in arrival-time mode.</param>
/// <param name="served">Prefixes that were served.</param>
internal sealed class SpineReads(SpineTable spine, long servingDelayUs, long? eventTimeDelayUs, IServedPrefixes? served)
{
    /// <summary>Adds a read per row and view. A row with a null key field has no read: the view's features are null.</summary>
    public void AddTo(ViewPartition[][] views, int partitions)
    {
        using var reader = new ArrowTableReader(spine.Path);
        var batch = new EventBatch(reader.Schema, 1);
        var arena = new Utf8Arena();
        var keyColumns = views.Select(v => v[0].View.KeySlots.Select(slot => spine.KeyColumns[slot]).ToArray()).ToArray();
        var firstRow = 0;
        while (reader.Read(batch, SpineTable.BatchRows))
        {
            for (var v = 0; v < views.Length; v++)
            {
                var isOwnLog = spine.Trigger is not null && views[v][0].View.Program.Log == spine.Trigger.Topic;
                for (var row = 0; row < batch.Count; row++)
                {
                    arena.Clear();
                    var lane = EntityKey.Append(arena, batch, keyColumns[v], row);
                    if (lane < 0)
                        continue;
                    var key = arena.Slice(lane);
                    Add(views[v][KeyPartitioner.PartitionOf(key, partitions)], key, batch, row, firstRow + row, isOwnLog);
                }
            }

            firstRow += batch.Count;
        }
    }

    private void Add(ViewPartition view, ReadOnlySpan<byte> key, EventBatch batch, int row, int spineRow, bool isOwnLog)
    {
        var entity = view.Entities.Intern(key);
        var asOfUs = batch.Columns[spine.TimeColumn].Lanes[row];
        if (eventTimeDelayUs is { } delayUs)
        {
            view.ByArrival.Add(new ViewRead(entity, spineRow, asOfUs, asOfUs - servingDelayUs - delayUs));
        }
        else if (served?.Find(batch, row, view.View.Name) is var (partition, nextOffset))
        {
            if (partition != view.Partition)
                throw new BackfillException($"spine row {spineRow + 1}: view '{view.View.Name}' was served from partition {partition}, its entity's is {view.Partition} now: the topic's partition count has changed; use the archive of that time");
            view.ByOffset.Add(new ViewRead(entity, spineRow, asOfUs, nextOffset));
        }
        else if (served?.OnlyServed == true)
        {
            return;
        }
        else if (spine.Trigger is null)
        {
            view.ByArrival.Add(new ViewRead(entity, spineRow, asOfUs, asOfUs - servingDelayUs));
        }
        else if (isOwnLog && batch.Columns[spine.Trigger.Partition].Lanes[row] == view.Partition)
        {
            view.ByOffset.Add(new ViewRead(entity, spineRow, asOfUs, batch.Columns[spine.Trigger.Offset].Lanes[row] + 1));
        }
        else
        {
            view.ByArrival.Add(new ViewRead(entity, spineRow, asOfUs, batch.Columns[spine.Trigger.Arrival].Lanes[row]));
        }
    }
}
