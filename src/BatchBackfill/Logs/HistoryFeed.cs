using System.Collections.Concurrent;
using StreamMl.Infrastructure.Tables;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill.Logs;

/// <summary>
/// Events of a plain file that was never a log: a column per field, arrival = event time + delay, in the order (arrival, row of the file), spread
/// over partitions by key as a producer would have done. Offsets are row numbers in that order. A file that is not in the order of its event
/// time is sorted in memory, within a bound.
/// </summary>
internal sealed class HistoryFeed : LogFeed
{
    private const int ChunkRows = 16_384;

    private readonly string path;
    private readonly SourceDefinition source;
    private readonly EventSchema schema;
    private readonly long delayUs;
    private readonly int partitions;
    private readonly EventSchema fileSchema;
    private readonly int[] columns;
    private readonly int timeColumn;
    private readonly HistoryOrder order;
    private readonly PartitionMemo spread;
    private readonly HashSet<string> needed;
    private readonly ConcurrentBag<EventBatch> free = [];
    private readonly long maxSortBytes;

    /// <exception cref="InvalidDataException">The file lacks a field, or has it with another type, or is too large to sort.</exception>
    public HistoryFeed(string path, SourceDefinition source, EventSchema wanted, TimeSpan delay, HistoryOrder order, long maxSortBytes)
    {
        (this.path, this.source, this.order, this.maxSortBytes) = (path, source, order, maxSortBytes);
        partitions = source.Partitions;
        delayUs = TimeGrid.ToMicros(delay);
        schema = wanted;
        spread = new PartitionMemo(new KeyFields(schema, source.KeyFields), schema, source.KeyFields, partitions);
        needed = [.. schema.Fields.Select(f => f.Name), source.EventTimeField];
        using var reader = Open();
        fileSchema = reader.Schema;
        columns = [.. schema.Fields.Select(f => ColumnOf(reader, f))];
        timeColumn = ColumnOf(reader, new EventField(source.EventTimeField, FieldType.Timestamp, false));
        Partitions = [.. Enumerable.Range(0, partitions)];
    }

    public override IReadOnlyList<int> Partitions { get; }

    public override IEnumerable<IDisposable> Chunks() => order.IsSorted ? FileChunks() : SortedChunks();

    public override void Prepare(IDisposable chunk, FeedBatch into)
    {
        using var rows = (Rows)chunk;
        var count = rows.Batch.Count;
        into.Clear(count);
        var events = into.Events;
        var times = rows.Batch.Columns[timeColumn];
        for (var i = 0; i < count; i++)
        {
            events.Offsets[i] = rows.FirstOffset + i;
            events.EventTimesUs[i] = times.Lanes[i];
            events.ArrivalTimesUs[i] = times.Lanes[i] + delayUs;
        }

        into.Decoded.AsSpan(0, count).Fill(1);
        into.SourcePartitions.AsSpan(0, count).Fill(-1);
        for (var c = 0; c < columns.Length; c++)
            CopyColumn(rows.Batch.Columns[columns[c]], rows.Batch.Arena, count, events.Columns[c], events.Arena);
        events.Count = count;
        spread.Spread(into);
    }

    private static void CopyColumn(EventColumn from, Utf8Arena fromArena, int count, EventColumn to, Utf8Arena toArena)
    {
        if (from.Type == FieldType.String)
        {
            for (var i = 0; i < count; i++)
                RowCopy.CopyCell(from, fromArena, i, to, toArena, i);
            return;
        }

        from.Valid.AsSpan(0, count).CopyTo(to.Valid);
        if (from.Type == FieldType.Int64 && to.Type == FieldType.Float64)
        {
            for (var i = 0; i < count; i++)
                to.Lanes[i] = from.Valid[i] == 0 ? 0 : BitConverter.DoubleToInt64Bits(from.Lanes[i]);
            return;
        }

        from.Lanes.AsSpan(0, count).CopyTo(to.Lanes);
    }

    private TableReader Open() => TableReader.Open(path, only: needed);

    private int ColumnOf(TableReader reader, EventField field)
    {
        var index = reader.Schema.IndexOf(field.Name);
        if (index < 0)
            throw new InvalidDataException($"{path} has no column '{field.Name}', which source '{source.Name}' needs; it has {Columns(path)}. Rename the column in the file, or ingest the file with a mapping");
        var type = reader.Schema.Fields[index].Type;
        return type == field.Type || (type, field.Type) is (FieldType.Int64, FieldType.Float64)
            ? index
            : throw new InvalidDataException($"{path}: column '{field.Name}' is {type}, source '{source.Name}' has it as {field.Type}. Convert the column, or ingest the file with a mapping");
    }

    private static string Columns(string path)
    {
        using var reader = TableReader.Open(path);
        return string.Join(", ", reader.Schema.Fields.Select(f => f.Name));
    }

    private IEnumerable<Rows> FileChunks()
    {
        using var reader = Open();
        var offset = 0L;
        while (true)
        {
            var rows = new Rows(free.TryTake(out var batch) ? batch : new EventBatch(fileSchema, ChunkRows), offset, free);
            if (!reader.Read(rows.Batch, ChunkRows))
                yield break;
            offset += rows.Batch.Count;
            yield return rows;
        }
    }

    private IEnumerable<Rows> SortedChunks()
    {
        var all = ReadAll();
        var times = all.Columns[timeColumn].Lanes.AsSpan(0, all.Count).ToArray();
        var rowOrder = Enumerable.Range(0, all.Count).ToArray();
        System.Array.Sort(rowOrder, (a, b) => times[a] != times[b] ? times[a].CompareTo(times[b]) : a.CompareTo(b));
        for (var from = 0; from < rowOrder.Length; from += ChunkRows)
        {
            var rows = new Rows(new EventBatch(fileSchema, ChunkRows), from, null);
            foreach (var row in rowOrder.AsSpan(from, Math.Min(ChunkRows, rowOrder.Length - from)))
            {
                for (var c = 0; c < rows.Batch.Columns.Count; c++)
                    RowCopy.CopyCell(all.Columns[c], all.Arena, row, rows.Batch.Columns[c], rows.Batch.Arena, rows.Batch.Count);
                rows.Batch.Count++;
            }

            yield return rows;
        }
    }

    private EventBatch ReadAll()
    {
        using var reader = Open();
        var all = new EventBatch(fileSchema, 1 << 16);
        var batch = new EventBatch(fileSchema, 1);
        while (reader.Read(batch, 65_536))
        {
            var bytes = ((long)all.Count + batch.Count) * (32 + (9L * fileSchema.Fields.Count)) + all.Arena.Length;
            if (bytes > maxSortBytes)
                throw new InvalidDataException($"{path} is not in the order of '{source.EventTimeField}', and sorting it takes more than {maxSortBytes >> 20} MiB: sort the file by that column first, or raise --memory");
            all.EnsureCapacity(all.Count + batch.Count);
            for (var row = 0; row < batch.Count; row++, all.Count++)
            {
                for (var c = 0; c < all.Columns.Count; c++)
                    RowCopy.CopyCell(batch.Columns[c], batch.Arena, row, all.Columns[c], all.Arena, all.Count);
            }
        }

        return all;
    }

    /// <param name="batch">Rows of the file.</param>
    /// <param name="firstOffset">Offset of the first.</param>
    /// <param name="free">Takes the batch back when it is done with.</param>
    private sealed class Rows(EventBatch batch, long firstOffset, ConcurrentBag<EventBatch>? free) : IDisposable
    {
        public EventBatch Batch { get; } = batch;

        public long FirstOffset { get; } = firstOffset;

        public void Dispose() => free?.Add(Batch);
    }
}
