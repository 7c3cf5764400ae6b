using StreamMl.FeatureEngine.Log;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>The accepted records of a log's partitions, one after the other in the order (arrival clock, partition, offset). Not thread-safe.</summary>
internal sealed class AcceptedMerge : IDisposable
{
    private readonly PriorityQueue<Cursor, (long ArrivalUs, int Partition)> queue = new();
    private readonly List<Cursor> cursors = [];
    private Cursor? current;

    public AcceptedMerge(SourceDefinition source, IReadOnlyList<LogFeed> feeds, EventSchema schema)
    {
        foreach (var feed in feeds)
        {
            var cursor = new Cursor(source, feed, schema);
            cursors.Add(cursor);
            if (cursor.MoveNext())
                queue.Enqueue(cursor, (cursor.ArrivalClockUs, cursor.Partition));
        }
    }

    public FeedBatch Batch => current!.Batch;

    public int Row => current!.Row;

    public int Partition => current!.Partition;

    public long ArrivalClockUs => current!.ArrivalClockUs;

    public bool MoveNext()
    {
        if (current is not null && current.MoveNext())
            queue.Enqueue(current, (current.ArrivalClockUs, current.Partition));
        return queue.TryDequeue(out current, out _);
    }

    public void Dispose()
    {
        foreach (var cursor in cursors)
            cursor.Dispose();
    }

    /// <summary>A feed, one accepted record at a time. A feed of several partitions is already in arrival order.</summary>
    private sealed class Cursor(SourceDefinition source, LogFeed feed, EventSchema schema) : IDisposable
    {
        private readonly Dictionary<int, LogGate> gates = feed.Partitions.ToDictionary(p => p, _ => new LogGate(source, PositionRecord.Start));
        private readonly IEnumerator<IDisposable> chunks = feed.Chunks().GetEnumerator();

        public FeedBatch Batch { get; } = new(schema);

        public int Row { get; private set; } = -1;

        public int Partition { get; private set; }

        public long ArrivalClockUs { get; private set; }

        public bool MoveNext()
        {
            while (true)
            {
                if (++Row >= Batch.Count)
                {
                    if (!chunks.MoveNext())
                        return false;
                    feed.Prepare(chunks.Current, Batch);
                    Row = -1;
                    continue;
                }

                if (Admit())
                    return true;
            }
        }

        public void Dispose() => chunks.Dispose();

        private bool Admit()
        {
            var events = Batch.Events;
            Partition = Batch.Partitions[Row];
            var gate = gates[Partition];
            var accepted = false;
            if (Batch.Decoded[Row] == 0)
                gate.AdmitUndecodable(events.Offsets[Row], events.ArrivalTimesUs[Row]);
            else
                accepted = gate.Admit(events.Offsets[Row], events.ArrivalTimesUs[Row], events.EventTimesUs[Row], Batch.SourcePartitions[Row], Batch.SourceOffsets[Row], out _) == Disposition.Accepted;
            ArrivalClockUs = gate.ArrivalClockUs;
            return accepted;
        }
    }
}
