using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>Copies rows between batches of one schema.</summary>
internal static class RowCopy
{
    /// <summary>Appends a decoded row with its times and offset; returns its index.</summary>
    public static int Append(EventBatch from, int row, FeedBatch into)
    {
        if (into.Count >= into.Decoded.Length)
            throw new InvalidOperationException($"a chunk holds at most {into.Decoded.Length} rows");
        var to = into.Events;
        var at = to.NextRow();
        to.Offsets[at] = from.Offsets[row];
        to.ArrivalTimesUs[at] = from.ArrivalTimesUs[row];
        to.EventTimesUs[at] = from.EventTimesUs[row];
        for (var c = 0; c < to.Columns.Count; c++)
            CopyCell(from.Columns[c], from.Arena, row, to.Columns[c], to.Arena, at);
        into.Decoded[at] = 1;
        into.SourcePartitions[at] = -1;
        into.SourceOffsets[at] = 0;
        to.Count = at + 1;
        return at;
    }

    public static void CopyCell(EventColumn from, Utf8Arena fromArena, int row, EventColumn to, Utf8Arena toArena, int at)
    {
        if (from.Valid[row] == 0)
            to.SetNull(at);
        else if (from.Type == FieldType.String)
            to.Set(at, toArena.Append(fromArena.Slice(from.Lanes[row])));
        else
            to.Set(at, from.Lanes[row]);
    }
}
