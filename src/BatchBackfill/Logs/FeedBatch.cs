using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>
/// Records of a log, decoded: one row each, also for those that no decoder could read. In <see cref="Events"/> offsets, event times and
/// columns are set; its arrival times are still the records' own timestamps.
/// </summary>
internal sealed class FeedBatch(EventSchema schema)
{
    public EventBatch Events { get; } = new(schema, 4096);

    /// <summary>The log partition of each row.</summary>
    public int[] Partitions { get; private set; } = new int[4096];

    /// <summary>1 where the row was decoded.</summary>
    public byte[] Decoded { get; private set; } = new byte[4096];

    /// <summary>Of repartitioned records; -1 otherwise.</summary>
    public int[] SourcePartitions { get; private set; } = new int[4096];

    public long[] SourceOffsets { get; private set; } = new long[4096];

    public int Count => Events.Count;

    public void Clear(int rows)
    {
        Events.Clear();
        Events.EnsureCapacity(rows);
        if (rows <= Decoded.Length)
            return;
        Partitions = new int[rows];
        Decoded = new byte[rows];
        SourcePartitions = new int[rows];
        SourceOffsets = new long[rows];
    }

    /// <summary>A row that could not be decoded has no values.</summary>
    public void SetUndecoded(int row)
    {
        Decoded[row] = 0;
        Events.EventTimesUs[row] = 0;
        foreach (var column in Events.Columns)
            column.SetNull(row);
    }
}
