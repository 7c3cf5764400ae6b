using System.Runtime.InteropServices;
using CsCheck;
using StreamMl.BatchBackfill.PointInTime;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>A row comes back as it was written, whether its short form can say it or not.</summary>
public sealed unsafe class RowLayoutTests : IDisposable
{
    private static readonly Gen<(long Time, long Gap, long Behind, double? Number, string? Text)> Row = Gen.Select(
        Gen.Long[-1_000_000_000_000_000, 4_000_000_000_000_000],
        Gen.OneOf(Gen.Long[0, 10], Gen.Const(1L << 31), Gen.Const(uint.MaxValue - 20L)),
        Gen.OneOf(Gen.Long[-3, 3], Gen.Const((long)int.MaxValue), Gen.Const(int.MaxValue + 1L), Gen.Const((long)int.MinValue), Gen.Const(int.MinValue - 1L), Gen.Const(long.MinValue)),
        Gen.Double.Nullable(),
        Gen.String[0, 12].Null());

    private readonly BackfillLab lab = new();

    public void Dispose() => lab.Dispose();

    [Theory]
    [InlineData("by_origin")]
    [InlineData("notes")]
    public void ReadAfterWrite_AnyRow_IsTheSame(string view)
    {
        var program = ViewProgram.Compile(lab.Catalog.View(view), lab.Catalog.Source("landings"));
        Row.Array[1, 20].Sample(rows => Check(program, rows));
    }

    private static void Check(ViewProgram program, (long Time, long Gap, long Behind, double? Number, string? Text)[] rows)
    {
        var batch = Batch(program, rows);
        var input = ViewInput.ForAggregated(program);
        input.Bind(batch);
        var layout = new RowLayout(program.AggregatedSchema);
        var buffer = (byte*)NativeMemory.Alloc((nuint)Enumerable.Range(0, rows.Length).Sum(r => layout.MostBytesOf(input, r)));
        try
        {
            var end = buffer;
            for (var i = 0; i < rows.Length; i++)
                end += layout.Write(end, i, batch.WatermarksUs[i], input, i);
            var read = new EventBatch(program.AggregatedSchema, rows.Length);
            var at = buffer;
            for (var i = 0; i < rows.Length; i++, at += layout.BytesOf(at))
            {
                RowLayout.EntityOf(at).ShouldBe(i);
                layout.OffsetOf(at).ShouldBe(batch.Offsets[i]);
                layout.Read(at, read, i);
                Same(batch, read, i);
            }

            ((nint)at).ShouldBe((nint)end);
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    private static void Same(EventBatch expected, EventBatch actual, int row)
    {
        actual.EventTimesUs[row].ShouldBe(expected.EventTimesUs[row]);
        actual.Offsets[row].ShouldBe(expected.Offsets[row]);
        actual.WatermarksUs[row].ShouldBe(expected.WatermarksUs[row]);
        for (var c = 0; c < expected.Columns.Count; c++)
        {
            var (a, b) = (expected.Columns[c], actual.Columns[c]);
            b.Valid[row].ShouldBe(a.Valid[row]);
            if (a.Type == FieldType.String && a.Valid[row] != 0)
                actual.Arena.GetString(b.Lanes[row]).ShouldBe(expected.Arena.GetString(a.Lanes[row]));
            else
                b.Lanes[row].ShouldBe(a.Lanes[row]);
        }
    }

    private static EventBatch Batch(ViewProgram program, (long Time, long Gap, long Behind, double? Number, string? Text)[] rows)
    {
        var batch = new EventBatch(program.AggregatedSchema, rows.Length) { Count = rows.Length };
        var offset = 5L;
        for (var i = 0; i < rows.Length; i++)
        {
            batch.EventTimesUs[i] = rows[i].Time;
            batch.Offsets[i] = offset += 1 + rows[i].Gap;
            batch.WatermarksUs[i] = rows[i].Behind == long.MinValue ? long.MinValue : rows[i].Time + rows[i].Behind;
            foreach (var column in batch.Columns)
            {
                column.SetNull(i);
                if (column.Type == FieldType.String && rows[i].Text is { } text)
                    column.Set(i, batch.Arena.Append(text));
                else if (column.Type != FieldType.String && rows[i].Number is { } number)
                    column.Set(i, BitConverter.DoubleToInt64Bits(number));
            }
        }

        return batch;
    }
}
