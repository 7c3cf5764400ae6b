using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamMl.Shared.Log;

namespace StreamMl.Shared.Events;

/// <summary>One column of a batch: an 8-byte lane and a validity byte per row (see <see cref="FieldType"/> for what a lane holds). A null row has lane 0.</summary>
public sealed class EventColumn
{
    private readonly bool isFilled;
    private readonly bool isPinned;
    private bool hasNulls;
    private long[] lanes;
    private byte[] valid;

    public EventColumn(FieldType type, int capacity)
        : this(type, capacity, isFilled: false, isPinned: false)
    {
    }

    /// <param name="isFilled">Rows say that they have a value from the start, so that whoever sets every row need not say it again.</param>
    /// <param name="isPinned">The lanes stay where they are until the column grows.</param>
    internal EventColumn(FieldType type, int capacity, bool isFilled, bool isPinned)
    {
        Type = type;
        this.isFilled = isFilled;
        this.isPinned = isPinned;
        lanes = GC.AllocateArray<long>(capacity, isPinned);
        valid = new byte[capacity];
        if (isFilled)
            valid.AsSpan().Fill(1);
    }

    public FieldType Type { get; }

    /// <summary>Lanes of all rows; only the first <see cref="EventBatch.Count"/> are meaningful.</summary>
    public long[] Lanes => lanes;

    /// <summary>1 where the row has a value, 0 where it is null.</summary>
    public byte[] Valid => valid;

    /// <summary>The lanes seen as doubles; only for <see cref="FieldType.Float64"/>.</summary>
    public Span<double> Doubles => MemoryMarshal.Cast<long, double>(lanes.AsSpan());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int row, long lane)
    {
        lanes[row] = lane;
        valid[row] = 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int row, double value) => Set(row, BitConverter.DoubleToInt64Bits(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetNull(int row)
    {
        lanes[row] = 0;
        valid[row] = 0;
        hasNulls = true;
    }

    /// <summary>Forgets the rows: where they say from the start that they have a value, they do so again.</summary>
    internal void Clear()
    {
        if (isFilled && hasNulls)
            valid.AsSpan().Fill(1);
        hasNulls = false;
    }

    /// <summary>Makes room for <paramref name="capacity"/> rows; never less than before.</summary>
    /// <exception cref="InvalidOperationException">It is a batch's column, and too small: it grows with its batch (<see cref="EventBatch.EnsureCapacity"/>), which knows where its lanes lie.</exception>
    public void Grow(int capacity)
    {
        if (capacity <= lanes.Length)
            return;
        if (isPinned)
            throw new InvalidOperationException($"a batch's column of {lanes.Length} rows cannot grow to {capacity} by itself; call EventBatch.EnsureCapacity");
        Resize(capacity);
    }

    /// <summary>Grows to more rows than it has; decoders rely on a batch's columns holding its capacity.</summary>
    internal void Resize(int capacity)
    {
        var before = lanes.Length;
        var more = GC.AllocateArray<long>(capacity, isPinned);
        lanes.CopyTo(more, 0);
        lanes = more;
        Array.Resize(ref valid, capacity);
        if (isFilled)
            valid.AsSpan(before).Fill(1);
    }
}

/// <summary>
/// Events of one log partition in offset order, as columns. Reused from batch to batch (<see cref="Clear"/>), so that the steady state
/// allocates nothing. In the columns of fields that cannot be null every row says from the start that it has a value, and only a row that is set
/// null says otherwise, until the batch is cleared: so a decoder need not say it row by row. Not thread-safe: one owner at a time.
/// </summary>
public sealed class EventBatch
{
    private long[] offsets;
    private long[] arrivalTimesUs;
    private long[] eventTimesUs;
    private long[] watermarksUs;
    private readonly EventColumn[] columns;
    private readonly nint[] lanePointers;
    private int capacity;

    /// <param name="schema">The fields that are decoded, one column each, in this order.</param>
    /// <param name="capacity">Rows held before the first growth.</param>
    public EventBatch(EventSchema schema, int capacity = 4096)
    {
        Schema = schema;
        this.capacity = capacity;
        offsets = new long[capacity];
        arrivalTimesUs = new long[capacity];
        eventTimesUs = new long[capacity];
        watermarksUs = new long[capacity];
        columns = [.. schema.Fields.Select(f => new EventColumn(f.Type, capacity, isFilled: !f.Nullable, isPinned: true))];
        lanePointers = new nint[columns.Length];
        PointAtLanes();
    }

    public EventSchema Schema { get; }

    public PartitionId Partition { get; set; }

    public int Count { get; set; }

    /// <summary>Strictly ascending; gaps are allowed.</summary>
    public long[] Offsets => offsets;

    /// <summary>The arrival clock: the running maximum of the record timestamps, so never descending.</summary>
    public long[] ArrivalTimesUs => arrivalTimesUs;

    /// <summary>Any order.</summary>
    public long[] EventTimesUs => eventTimesUs;

    /// <summary>The partition's watermark just before the row: the greatest event time of the accepted records before it, or long.MinValue.</summary>
    public long[] WatermarksUs => watermarksUs;

    public IReadOnlyList<EventColumn> Columns => columns;

    /// <summary>The same columns for hot loops: no interface call per column.</summary>
    public ReadOnlySpan<EventColumn> ColumnSpan => columns;

    /// <summary>Where each column's lanes lie in memory, until the batch grows: for decoders, which keep the batch alive while they write there.</summary>
    public ReadOnlySpan<nint> LanePointers => lanePointers;

    /// <summary>The bytes of all string columns.</summary>
    public Utf8Arena Arena { get; } = new();

    public EventColumn Column(string field)
    {
        var index = Schema.IndexOf(field);
        return index >= 0 ? Columns[index] : throw new ArgumentException($"the batch has no column '{field}'; it has {string.Join(", ", Schema.Fields.Select(f => f.Name))}", nameof(field));
    }

    /// <summary>Makes room for one more row and returns its index; the caller fills it and then raises <see cref="Count"/>.</summary>
    public int NextRow()
    {
        if (Count == capacity)
            Grow(capacity * 2);
        return Count;
    }

    /// <summary>Makes room for so many rows.</summary>
    public void EnsureCapacity(int rows)
    {
        if (rows > capacity)
            Grow(Math.Max(rows, capacity * 2));
    }

    public void Clear()
    {
        Count = 0;
        Arena.Clear();
        foreach (var column in columns)
            column.Clear();
    }

    private void Grow(int newCapacity)
    {
        Array.Resize(ref offsets, newCapacity);
        Array.Resize(ref arrivalTimesUs, newCapacity);
        Array.Resize(ref eventTimesUs, newCapacity);
        Array.Resize(ref watermarksUs, newCapacity);
        foreach (var column in Columns)
            column.Resize(newCapacity);
        capacity = newCapacity;
        PointAtLanes();
    }

    private unsafe void PointAtLanes()
    {
        for (var i = 0; i < columns.Length; i++)
            lanePointers[i] = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(columns[i].Lanes));
    }
}
