using System.Buffers;
using System.Buffers.Binary;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Kafka;

/// <summary>
/// Records as bytes in one pooled arena, reused from read to read: after warming up nothing is allocated. Spans are good until
/// the next read into it or <see cref="Dispose"/>. Not thread-safe; may be handed from thread to thread.
/// </summary>
public sealed class RawRecordBatch : IDisposable
{
    private readonly List<RecordRun> runs = [];
    private readonly List<PartitionEnd> ends = [];
    private RawRecord[] records;
    private byte[] arena;
    private int used;

    /// <param name="maxRecords">A read stops here; 1 or more, default 8,192.</param>
    /// <param name="maxBytes">A read stops once it has so many bytes of keys, values and headers; default 4 MiB. A larger record still fits.</param>
    public RawRecordBatch(int maxRecords = 8192, int maxBytes = 4 << 20)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRecords, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 1);
        MaxRecords = maxRecords;
        MaxBytes = maxBytes;
        records = ArrayPool<RawRecord>.Shared.Rent(Math.Min(maxRecords, 1024));
        arena = ArrayPool<byte>.Shared.Rent(Math.Min(maxBytes, 128 << 10));
    }

    public int MaxRecords { get; }

    public int MaxBytes { get; }

    public int Count { get; private set; }

    /// <summary>Bytes of keys, values and headers.</summary>
    public int Bytes => used;

    public ReadOnlySpan<RawRecord> Records => records.AsSpan(0, Count);

    /// <summary>Stretches of records of one partition, in the order of arrival. A partition may have several.</summary>
    public IReadOnlyList<RecordRun> Runs => runs;

    /// <summary>Partitions whose end was reached: nothing was there at this offset at that moment.</summary>
    public IReadOnlyList<PartitionEnd> Ends => ends;

    /// <summary>Empty for a null key too: see <see cref="RawRecord.HasKey"/>.</summary>
    public ReadOnlySpan<byte> Key(int row)
    {
        ref readonly var record = ref records[row];
        return arena.AsSpan(record.Start, Math.Max(record.KeyLength, 0));
    }

    /// <summary>The key as memory, good for as long as its span; null for a null key.</summary>
    public ReadOnlyMemory<byte>? KeyMemory(int row) => records[row].HasKey ? new ReadOnlyMemory<byte>?(arena.AsMemory(records[row].Start, records[row].KeyLength)) : null;

    /// <summary>Empty for a null value (a tombstone) too: see <see cref="RawRecord.HasValue"/>.</summary>
    public ReadOnlySpan<byte> Value(int row)
    {
        ref readonly var record = ref records[row];
        return arena.AsSpan(record.ValueStart, Math.Max(record.ValueLength, 0));
    }

    /// <summary>The last header of this name (ASCII or UTF-8 bytes).</summary>
    public bool TryGetHeader(int row, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        ref readonly var record = ref records[row];
        var rest = arena.AsSpan(record.HeaderStart, record.HeaderLength);
        bool found = false;
        value = default;
        while (rest.Length > 0)
        {
            int nameLength = BinaryPrimitives.ReadInt32LittleEndian(rest);
            int valueLength = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
            if (rest.Slice(8, nameLength).SequenceEqual(name))
            {
                value = rest.Slice(8 + nameLength, valueLength);
                found = true;
            }

            rest = rest[(8 + nameLength + valueLength)..];
        }

        return found;
    }

    /// <summary>The arena, for a decoder that keeps offsets rather than spans.</summary>
    public ReadOnlySpan<byte> Arena => arena.AsSpan(0, used);

    public void Clear()
    {
        Count = 0;
        used = 0;
        runs.Clear();
        ends.Clear();
    }

    public void Dispose()
    {
        if (arena.Length == 0) return;
        ArrayPool<byte>.Shared.Return(arena);
        ArrayPool<RawRecord>.Shared.Return(records);
        arena = [];
        records = [];
        Clear();
    }

    /// <summary>Adds a record, for sources and tests. Rows of one partition that follow each other become one run.</summary>
    public void Append(PartitionId partition, long offset, long timestampUs, ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value, bool hasValue)
    {
        int row = Add(offset, timestampUs, hasKey ? key.Length : -1, hasValue ? value.Length : -1);
        key.CopyTo(arena.AsSpan(records[row].Start));
        value.CopyTo(arena.AsSpan(records[row].ValueStart));
        EndRun(partition, row, 1);
    }

    /// <summary>Adds a header to the record added last.</summary>
    public void AppendHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        int size = 8 + name.Length + value.Length;
        Reserve(size);
        var into = arena.AsSpan(used, size);
        BinaryPrimitives.WriteInt32LittleEndian(into, name.Length);
        BinaryPrimitives.WriteInt32LittleEndian(into[4..], value.Length);
        name.CopyTo(into[8..]);
        value.CopyTo(into[(8 + name.Length)..]);
        records[Count - 1].HeaderLength += size;
        used += size;
    }

    public void AppendEnd(PartitionId partition, long offset) => ends.Add(new PartitionEnd(partition, offset));

    /// <summary>Takes out the rows and ends of a partition that is no longer ours. Their bytes stay in the arena until the next read.</summary>
    internal void Drop(PartitionId partition)
    {
        ends.RemoveAll(e => e.Partition == partition);
        int kept = 0;
        var old = runs.ToArray();
        runs.Clear();
        foreach (var run in old)
        {
            if (run.Partition == partition) continue;
            records.AsSpan(run.First, run.Count).CopyTo(records.AsSpan(kept));
            EndRun(run.Partition, kept, run.Count);
            kept += run.Count;
        }

        Count = kept;
    }

    /// <summary>A row with room for its bytes; the caller copies them and names the partition by <see cref="EndRun"/>.</summary>
    internal int Add(long offset, long timestampUs, int keyLength, int valueLength)
    {
        int size = Math.Max(keyLength, 0) + Math.Max(valueLength, 0);
        Reserve(size);
        if (Count == records.Length) GrowRecords();
        ref var record = ref records[Count];
        record.Offset = offset;
        record.TimestampUs = timestampUs;
        record.Start = used;
        record.KeyLength = keyLength;
        record.ValueLength = valueLength;
        record.HeaderLength = 0;
        used += size;
        return Count++;
    }

    internal Span<byte> BytesFrom(int start) => arena.AsSpan(start);

    /// <summary>Says whose the last rows are.</summary>
    internal void EndRun(PartitionId partition, int first, int count)
    {
        if (count == 0) return;
        if (runs.Count > 0 && runs[^1].Partition == partition && runs[^1].First + runs[^1].Count == first)
        {
            runs[^1] = runs[^1] with { Count = runs[^1].Count + count };
            return;
        }

        runs.Add(new RecordRun(partition, first, count));
    }

    private void Reserve(int size)
    {
        if (used + size <= arena.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(used + size, arena.Length * 2));
        arena.AsSpan(0, used).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(arena);
        arena = larger;
    }

    private void GrowRecords()
    {
        var larger = ArrayPool<RawRecord>.Shared.Rent(records.Length * 2);
        records.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<RawRecord>.Shared.Return(records);
        records = larger;
    }
}

/// <summary>Where one record's bytes are in the arena: key, value, headers, one after the other.</summary>
public struct RawRecord
{
    public long Offset { get; internal set; }

    /// <summary>Arrival time: the record's timestamp (Kafka keeps milliseconds); -1000 where it has none.</summary>
    public long TimestampUs { get; internal set; }

    internal int Start { get; set; }

    internal int KeyLength { get; set; }

    internal int ValueLength { get; set; }

    internal int HeaderLength { get; set; }

    public readonly bool HasKey => KeyLength >= 0;

    public readonly bool HasValue => ValueLength >= 0;

    internal readonly int ValueStart => Start + Math.Max(KeyLength, 0);

    internal readonly int HeaderStart => ValueStart + Math.Max(ValueLength, 0);
}

/// <summary>Rows of one partition that follow each other in the batch.</summary>
public readonly record struct RecordRun(PartitionId Partition, int First, int Count);

/// <summary>The partition's end as it was seen.</summary>
public readonly record struct PartitionEnd(PartitionId Partition, long Offset);
