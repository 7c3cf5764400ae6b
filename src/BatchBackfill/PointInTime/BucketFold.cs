using System.Runtime.InteropServices;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// Folds a bucket: brings its rows into the order of their entities by a counting sort of addresses, and pushes them through the folder. A
/// bucket that does not fit the bound is done in groups of entities, and an entity that does not fit alone as a stream. Pure but for memory.
/// </summary>
internal sealed unsafe class BucketFold(ViewPartition view, int bucket, long maxBytes, bool byEventTime)
{
    private readonly RowBuckets rows = view.Rows!;
    private readonly RowLayout layout = view.Rows!.Layout;
    private int[] counts = [];
    private long[] bytes = [];

    public void Run(EntityFolder folder)
    {
        folder.Start(view);
        var entities = Math.Max(0, (view.Entities.Count - bucket + rows.Count - 1) / rows.Count);
        counts = new int[entities];
        bytes = new long[entities];
        rows.ForEach(bucket, Count);
        for (var local = 0; local < entities; local++)
        {
            if (counts[local] == 0)
                folder.ReadEmpty((local << rows.Shift) + bucket);
        }

        for (var from = 0; from < entities;)
            from = FoldGroup(folder, from);
        folder.Finish();
        rows.Free(bucket);
    }

    private void Count(byte* row, int length)
    {
        var shift = rows.Shift;
        for (var end = row + length; row < end;)
        {
            var local = RowLayout.EntityOf(row) >> shift;
            var rowBytes = layout.BytesOf(row);
            counts[local]++;
            bytes[local] += rowBytes;
            row += rowBytes;
        }
    }

    private int FoldGroup(EntityFolder folder, int from)
    {
        var isInMemory = rows.IsInMemory(bucket);
        var to = from;
        var total = 0L;
        var rowCount = 0;
        while (to < counts.Length && (to == from || isInMemory || total + bytes[to] <= maxBytes) && rowCount <= int.MaxValue - counts[to])
        {
            total += bytes[to];
            rowCount += counts[to++];
        }

        if (rowCount == 0)
            return to;
        if (isInMemory)
            Sorted(folder, from, to, rowCount, null);
        else if (to == from + 1 && total > maxBytes && !byEventTime)
            Streamed(folder, from);
        else
            Copied(folder, from, to, rowCount, total);
        return to;
    }

    private void Streamed(EntityFolder folder, int local) => rows.ForEach(bucket, (row, length) =>
    {
        for (var end = row + length; row < end; row += layout.BytesOf(row))
        {
            if (RowLayout.EntityOf(row) >> rows.Shift == local)
                folder.Push(row);
        }
    });

    private void Copied(EntityFolder folder, int from, int to, int rowCount, long total)
    {
        var buffer = (byte*)NativeMemory.Alloc((nuint)total);
        try
        {
            Sorted(folder, from, to, rowCount, buffer);
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    /// <summary>With a buffer the rows are copied there, each entity's together; without, they stay and only addresses are sorted.</summary>
    private void Sorted(EntityFolder folder, int from, int to, int rowCount, byte* buffer)
    {
        var next = new int[to - from];
        for (int local = from, at = 0; local < to; local++)
        {
            next[local - from] = at;
            at += counts[local];
        }

        var order = new nint[rowCount];
        var free = buffer;
        rows.ForEach(bucket, (row, length) =>
        {
            var shift = rows.Shift;
            for (var end = row + length; row < end;)
            {
                var local = RowLayout.EntityOf(row) >> shift;
                var rowBytes = layout.BytesOf(row);
                if (local >= from && local < to)
                {
                    var kept = row;
                    if (buffer is not null)
                    {
                        Buffer.MemoryCopy(row, free, rowBytes, rowBytes);
                        kept = free;
                        free += rowBytes;
                    }

                    order[next[local - from]++] = (nint)kept;
                }

                row += rowBytes;
            }
        });
        if (byEventTime)
            SortByEventTime(order, from, to);
        foreach (var row in order)
            folder.Push((byte*)row);
    }

    private void SortByEventTime(nint[] order, int from, int to)
    {
        for (int local = from, at = 0; local < to; at += counts[local++])
        {
            var keys = new (long TimeUs, long Offset)[counts[local]];
            for (var i = 0; i < keys.Length; i++)
                keys[i] = (RowLayout.EventTimeOf((byte*)order[at + i]), layout.OffsetOf((byte*)order[at + i]));
            keys.AsSpan().Sort(order.AsSpan(at, keys.Length));
        }
    }
}
