using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.Types;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Data;

/// <summary>
/// One column of one record batch, where it lies in mapped memory. The pointers are valid as long as the table that it came from. Immutable; thread-safe.
/// </summary>
internal readonly unsafe struct SetColumn
{
    private readonly byte* validity;
    private readonly byte* values;
    private readonly int* starts;

    /// <exception cref="TrainingException">Of an Arrow type that no training set has.</exception>
    public SetColumn(IArrowArray array, string name)
    {
        var data = array.Data;
        if (data.Offset != 0)
            throw new TrainingException($"column '{name}' is a slice of another array, which no backfill writes: make the training set again");
        Type = TypeOf(data.DataType, name);
        validity = data.NullCount == 0 ? null : Pointer(data.Buffers[0]);
        starts = Type == FieldType.String ? (int*)Pointer(data.Buffers[1]) : null;
        values = Pointer(data.Buffers[Type == FieldType.String ? 2 : 1]);
    }

    public FieldType Type { get; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsValid(int row) => validity is null || ((validity[row >> 3] >> (row & 7)) & 1) != 0;

    /// <summary>The value's lane, as in <see cref="FieldType"/>; not of a string.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Lane(int row) => Type == FieldType.Boolean ? (values[row >> 3] >> (row & 7)) & 1 : ((long*)values)[row];

    /// <summary>A string's bytes, in the file.</summary>
    public ReadOnlySpan<byte> Text(int row) => new(values + starts[row], starts[row + 1] - starts[row]);

    /// <summary>A number or boolean as a number; NaN where it is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Number(int row) => !IsValid(row) ? double.NaN : Type == FieldType.Float64 ? ((double*)values)[row] : Lane(row);

    private static FieldType TypeOf(IArrowType type, string name) => type switch
    {
        BooleanType => FieldType.Boolean,
        Int64Type => FieldType.Int64,
        DoubleType => FieldType.Float64,
        StringType => FieldType.String,
        TimestampType { Unit: TimeUnit.Microsecond } => FieldType.Timestamp,
        _ => throw new TrainingException($"column '{name}' is of Arrow type {type.Name}; a training set has bool, int64, double, utf8 and timestamp[us]: make it by `streamml backfill`, or convert the column"),
    };

    // Mapped memory does not move. An empty buffer has no address and is never read.
    private static byte* Pointer(ArrowBuffer buffer) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(buffer.Span));
}

/// <summary>One record batch: its place in the set and its columns.</summary>
internal sealed record SetChunk(int FirstRow, int Rows, SetColumn[] Columns);
