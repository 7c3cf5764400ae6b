using System.Text;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Outgoing;

namespace StreamMl.Simulation.Tests.Cluster;

/// <summary>A record of a log. Its value is never changed.</summary>
internal sealed record SimRecord(long Offset, long TimestampUs, byte[]? Key, byte[] Value, IReadOnlyList<OutgoingHeader> Headers);

/// <summary>The topics: append-only; retention may take what they begin with. Offsets may have gaps, as transaction markers make them.</summary>
internal sealed class SimLog(World world)
{
    private static readonly Dictionary<string, byte[]> HeaderNames = new() { [LogNames.SourcePositionHeader] = Encoding.ASCII.GetBytes(LogNames.SourcePositionHeader) };

    private readonly Dictionary<PartitionId, List<SimRecord>> logs = [];
    private readonly Dictionary<PartitionId, long> ends = [];
    private readonly Dictionary<PartitionId, Queue<(SimRecord Record, SimTransaction? Transaction)>> unstable = [];

    private readonly Dictionary<PartitionId, long> starts = [];

    /// <summary>Records that readers have seen, of all topics.</summary>
    public int Count { get; private set; }

    public IReadOnlyList<SimRecord> Records(PartitionId partition) => logs.TryGetValue(partition, out var log) ? log : [];

    /// <summary>The first offset that readers may ask for.</summary>
    public long Start(PartitionId partition) => starts.GetValueOrDefault(partition);

    /// <summary>Retention takes what is below the offset.</summary>
    public void Trim(PartitionId partition, long start)
    {
        world.Trace.Add("retention", partition, start);
        starts[partition] = start;
        if (logs.TryGetValue(partition, out var log))
            log.RemoveRange(0, IndexOf(log, start));
    }

    /// <summary>The offset that the next record gets.</summary>
    public long End(PartitionId partition) => ends.GetValueOrDefault(partition);

    /// <summary>What readers see ends here: before the first record of a transaction that is open.</summary>
    public long StableEnd(PartitionId partition) => unstable.TryGetValue(partition, out var waiting) && waiting.TryPeek(out var first) ? first.Record.Offset : End(partition);

    public long Append(PartitionId partition, long timestampUs, byte[]? key, byte[] value, IReadOnlyList<OutgoingHeader> headers, SimTransaction? transaction = null)
    {
        var offset = End(partition) + (world.Faults.Strikes(Fault.OffsetGap, 300) ? world.Random.Next(1, 4) : 0);
        var record = new SimRecord(offset, timestampUs / 1000 * 1000, key, value, headers);
        // What follows a record may be a transaction's marker: the log then ends behind an offset that has no record.
        ends[partition] = offset + 1 + (world.Faults.Strikes(Fault.OffsetGap, 300) ? 1 : 0);
        world.Trace.Add("append", partition, offset);
        if (!unstable.TryGetValue(partition, out var waiting))
            unstable.Add(partition, waiting = []);
        waiting.Enqueue((record, transaction));
        if (transaction is null)
            world.Audit.Delivered(partition, record);
        Show(partition, waiting);
        return offset;
    }

    /// <summary>A transaction was committed or aborted: markers follow its records.</summary>
    public void Decided(SimTransaction transaction)
    {
        foreach (var target in transaction.Targets)
        {
            world.Trace.Add(transaction.IsCommitted == true ? "committed" : "aborted", target, End(target));
            ends[target] = End(target) + 1;
            if (!unstable.TryGetValue(target, out var waiting))
                continue;
            foreach (var (record, _) in waiting.Where(w => w.Transaction == transaction && transaction.IsCommitted == true))
                world.Audit.Delivered(target, record);
            Show(target, waiting);
        }
    }

    private void Show(PartitionId partition, Queue<(SimRecord Record, SimTransaction? Transaction)> waiting)
    {
        if (!logs.TryGetValue(partition, out var log))
            logs.Add(partition, log = []);
        while (waiting.TryPeek(out var first) && first.Transaction is null or { IsCommitted: not null })
        {
            waiting.Dequeue();
            if (first.Transaction is { IsCommitted: false })
                continue;
            log.Add(first.Record);
            Count++;
            world.Audit.Appended(partition, first.Record);
        }
    }

    /// <summary>Fills the batch with up to <paramref name="count"/> records from the offset on; the offset after them, or the log's end where there are none.</summary>
    public long Read(PartitionId partition, long offset, int count, RawRecordBatch into)
    {
        var log = Records(partition);
        var first = IndexOf(log, offset);
        if (first == log.Count)
            return Math.Max(offset, StableEnd(partition));
        for (var i = first; i < log.Count && count > 0; i++, count--)
        {
            var record = log[i];
            into.Append(partition, record.Offset, record.TimestampUs, record.Key, record.Key is not null, record.Value, true);
            foreach (var header in record.Headers)
                into.AppendHeader(HeaderNames[header.Name], header.Value);
            offset = record.Offset + 1;
        }

        return offset;
    }

    /// <summary>Index of the first record at or after the offset.</summary>
    public static int IndexOf(IReadOnlyList<SimRecord> log, long offset)
    {
        var (low, high) = (0, log.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (log[middle].Offset < offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
