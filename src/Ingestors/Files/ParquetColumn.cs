using ParquetSharp;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.Files;

/// <summary>One column of one row group, read in batches of rows.</summary>
internal abstract class ParquetColumn : IDisposable
{
    public abstract void Read(RowChunk chunk, int count);

    public abstract void Dispose();

    /// <summary>What the column is read as; null where it cannot be (nested, decimals, INT96, raw bytes).</summary>
    public static FieldType? TypeOf(ColumnDescriptor column)
    {
        if (column.MaxRepetitionLevel > 0 || column.MaxDefinitionLevel > 1)
            return null;
        using var logical = column.LogicalType;
        return column.PhysicalType switch
        {
            PhysicalType.Boolean => FieldType.Boolean,
            PhysicalType.Int32 when logical is DateLogicalType => FieldType.Timestamp,
            PhysicalType.Int64 when logical is TimestampLogicalType => FieldType.Timestamp,
            PhysicalType.Int32 or PhysicalType.Int64 when logical is not (DecimalLogicalType or TimeLogicalType) => FieldType.Int64,
            PhysicalType.Float or PhysicalType.Double => FieldType.Float64,
            PhysicalType.ByteArray when logical is StringLogicalType or EnumLogicalType => FieldType.String,
            _ => null,
        };
    }

    /// <exception cref="RowFileException">The column is of a type that is not read.</exception>
    public static ParquetColumn Open(string path, ColumnReader reader, CellBinding binding)
    {
        var descriptor = reader.ColumnDescriptor;
        if (TypeOf(descriptor) is not { } type)
        {
            reader.Dispose();
            throw new RowFileException(path, $"column '{binding.Column}' is {descriptor.PhysicalType}, {descriptor.LogicalType}, which is not read", "Write it as a flat boolean, whole number, float, string or timestamp column");
        }

        var values = new LaneConversion(binding, type);
        using var logical = descriptor.LogicalType;
        return reader switch
        {
            ColumnReader<bool> c => new ParquetColumn<bool>(c, binding, static (v, _) => v ? 1 : 0, values),
            ColumnReader<int> c when logical is DateLogicalType => new ParquetColumn<int>(c, binding, static (v, _) => v * Shared.Time.TimeGrid.MicrosPerDay, values),
            ColumnReader<int> c => new ParquetColumn<int>(c, binding, static (v, _) => v, values),
            ColumnReader<long> c when logical is TimestampLogicalType t => new ParquetColumn<long>(c, binding, ToMicros(t.TimeUnit), values with { IsLocal = !t.IsAdjustedToUtc }),
            ColumnReader<long> c => new ParquetColumn<long>(c, binding, static (v, _) => v, values),
            ColumnReader<float> c => new ParquetColumn<float>(c, binding, static (v, _) => BitConverter.DoubleToInt64Bits(v), values),
            ColumnReader<double> c => new ParquetColumn<double>(c, binding, static (v, _) => BitConverter.DoubleToInt64Bits(v), values),
            ColumnReader<ByteArray> c => new ParquetColumn<ByteArray>(c, binding, AppendText, values),
            _ => throw new RowFileException(path, $"column '{binding.Column}' is {descriptor.PhysicalType}, which is not read", "Write it as a flat boolean, whole number, float, string or timestamp column"),
        };
    }

    private static unsafe long AppendText(ByteArray value, Utf8Arena arena) => arena.Append(new ReadOnlySpan<byte>((void*)value.Pointer, value.Length));

    private static Func<long, Utf8Arena, long> ToMicros(TimeUnit unit) => unit switch
    {
        TimeUnit.Millis => static (v, _) => v * 1000,
        TimeUnit.Nanos => static (v, _) => Shared.Time.TimeGrid.TileOf(v, 1000),
        _ => static (v, _) => v,
    };
}

/// <param name="reader">Owned.</param>
/// <param name="binding">Where it goes.</param>
/// <param name="toLane">A value to a lane of the column's own type.</param>
/// <param name="conversion">From there to the type that is wanted.</param>
internal sealed class ParquetColumn<T>(ColumnReader<T> reader, CellBinding binding, Func<T, Utf8Arena, long> toLane, LaneConversion conversion) : ParquetColumn
    where T : unmanaged
{
    private readonly bool isOptional = reader.ColumnDescriptor.MaxDefinitionLevel > 0;
    private T[] values = [];
    private short[] levels = [];

    public override void Read(RowChunk chunk, int count)
    {
        if (values.Length < count)
            (values, levels) = (new T[count], new short[count]);
        var column = chunk.Rows.Columns[binding.Target];
        for (var row = 0; row < count;)
        {
            // The bytes that values point to live until the next batch is read, so they are taken over batch by batch.
            var read = (int)reader.ReadBatch(count - row, levels, [], values, out _);
            if (read == 0)
                throw new ParquetException("ParquetColumn", $"column '{binding.Column}' ends before its row group does");
            for (int i = 0, value = 0; i < read; i++, row++)
            {
                if (isOptional && levels[i] == 0)
                    column.SetNull(row);
                else
                    conversion.Set(chunk, column, row, toLane(values[value++], chunk.Rows.Arena));
            }
        }
    }

    public override void Dispose() => reader.Dispose();
}
