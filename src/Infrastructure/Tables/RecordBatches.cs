using System.Runtime.InteropServices;
using Apache.Arrow;
using StreamMl.Infrastructure.Archive;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>Between Arrow record batches and event batches.</summary>
internal static class RecordBatches
{
    public static void Copy(RecordBatch batch, int[] columns, int from, int count, EventBatch into)
    {
        into.Clear();
        into.EnsureCapacity(count);
        for (var i = 0; i < columns.Length; i++)
            ArrowCells.Copy(batch.Column(columns[i]), from, count, into.Columns[i], into.Arena);
        into.Count = count;
    }

    /// <summary>The batch's rows as Arrow arrays of the schema's types; copies what it needs.</summary>
    public static RecordBatch Build(EventBatch batch, Schema schema) =>
        new(schema, batch.Columns.Select(c => Build(c, batch.Arena, batch.Count)), batch.Count);

    private static IArrowArray Build(EventColumn column, Utf8Arena arena, int rows)
    {
        var validity = new ValidityBits(rows);
        for (var i = 0; i < rows; i++)
            validity.Set(i, column.Valid[i] != 0);
        ArrowBuffer[] buffers = column.Type switch
        {
            FieldType.Boolean => [validity.ToBuffer(), Bits(column, rows)],
            FieldType.String => [validity.ToBuffer(), .. Text(column, arena, rows)],
            _ => [validity.ToBuffer(), new ArrowBuffer(MemoryMarshal.AsBytes(column.Lanes.AsSpan(0, rows)).ToArray())],
        };
        return ArrowArrayFactory.BuildArray(new ArrayData(ArrowFields.TypeOf(column.Type), rows, validity.NullCount, 0, buffers));
    }

    private static ArrowBuffer Bits(EventColumn column, int rows)
    {
        var bits = new byte[(rows + 7) / 8];
        for (var i = 0; i < rows; i++)
            bits[i >> 3] |= (byte)((column.Lanes[i] & column.Valid[i] & 1) << (i & 7));
        return new ArrowBuffer(bits);
    }

    private static ArrowBuffer[] Text(EventColumn column, Utf8Arena arena, int rows)
    {
        var starts = new int[rows + 1];
        for (var i = 0; i < rows; i++)
        {
            var length = column.Valid[i] == 0 ? 0 : (int)column.Lanes[i];
            starts[i + 1] = checked(starts[i] + length);
        }

        var bytes = new byte[starts[rows]];
        for (var i = 0; i < rows; i++)
        {
            if (column.Valid[i] != 0)
                arena.Slice(column.Lanes[i]).CopyTo(bytes.AsSpan(starts[i]));
        }

        return [new ArrowBuffer(MemoryMarshal.AsBytes(starts.AsSpan()).ToArray()), new ArrowBuffer(bytes)];
    }
}
