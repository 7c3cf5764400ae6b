using System.Buffers;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Records;

/// <summary>A row that cannot be an event.</summary>
/// <param name="Where">File and row.</param>
/// <param name="Reason">What is wrong with it.</param>
internal sealed record BadRow(string Where, string Reason);

/// <summary>
/// Records as they go to Kafka, one after the other in one piece of memory: arrival, key and value, or for a bad row its problem and its original bytes. Reused; not
/// thread-safe.
/// </summary>
internal sealed class RecordBlock
{
    private long[] arrivalTimesUs = new long[256];
    private long[] rows = new long[256];
    private long[] keys = new long[256];
    private long[] values = new long[256];
    private BadRow?[] problems = new BadRow?[256];
    private readonly Utf8Arena keyBytes = new();

    public int Count { get; private set; }

    /// <summary>Bytes of keys and values.</summary>
    public long Bytes => keyBytes.Length + Values.WrittenCount;

    /// <summary>The value of the next record is written here before <see cref="Add"/>.</summary>
    public ArrayBufferWriter<byte> Values { get; } = new(64 * 1024);

    /// <summary>The key of the next record is appended here before <see cref="Add"/>.</summary>
    public Utf8Arena Keys => keyBytes;

    public long ArrivalTimeUs(int index) => arrivalTimesUs[index];

    /// <summary>The row in the file, from 1.</summary>
    public long Row(int index) => rows[index];

    /// <summary>Null: the record has no key (a key field is null).</summary>
    public byte[]? Key(int index) => keys[index] < 0 ? null : keyBytes.Slice(keys[index]).ToArray();

    public bool HasKey(int index) => keys[index] >= 0;

    /// <summary>Of a record that has one.</summary>
    public ReadOnlySpan<byte> KeySpan(int index) => keyBytes.Slice(keys[index]);

    public ReadOnlySpan<byte> Value(int index) => Values.WrittenSpan.Slice((int)(values[index] >> 32), (int)values[index]);

    /// <summary>Null: the record is good. Else it goes to the dead letters, and its value is what stood in the file.</summary>
    public BadRow? Problem(int index) => problems[index];

    /// <summary>Adds a record whose value was written behind <paramref name="valueStart"/>.</summary>
    public void Add(long arrivalTimeUs, long row, long keyLane, int valueStart, BadRow? problem)
    {
        if (Count == rows.Length)
            Grow();
        arrivalTimesUs[Count] = arrivalTimeUs;
        rows[Count] = row;
        keys[Count] = keyLane;
        values[Count] = Utf8Arena.Pack(valueStart, Values.WrittenCount - valueStart);
        problems[Count] = problem;
        Count++;
    }

    /// <summary>Adds a record that is whole.</summary>
    public void AddWhole(long arrivalTimeUs, long row, ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value, BadRow? problem)
    {
        var start = Values.WrittenCount;
        Values.Write(value);
        Add(arrivalTimeUs, row, hasKey ? keyBytes.Append(key) : -1, start, problem);
    }

    public void AddCopy(RecordBlock from, int index)
    {
        AddWhole(from.arrivalTimesUs[index], from.rows[index], from.HasKey(index) ? from.KeySpan(index) : default, from.HasKey(index), from.Value(index), from.problems[index]);
    }

    public void Clear()
    {
        Array.Clear(problems, 0, Count);
        Count = 0;
        keyBytes.Clear();
        Values.ResetWrittenCount();
    }

    private void Grow()
    {
        var capacity = rows.Length * 2;
        Array.Resize(ref arrivalTimesUs, capacity);
        Array.Resize(ref rows, capacity);
        Array.Resize(ref keys, capacity);
        Array.Resize(ref values, capacity);
        Array.Resize(ref problems, capacity);
    }
}
