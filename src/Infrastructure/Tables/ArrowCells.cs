using System.Runtime.InteropServices;
using Apache.Arrow;
using Apache.Arrow.Types;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tables;

/// <summary>Copies rows of Arrow arrays into the columns of a batch, buffer by buffer. Pure.</summary>
internal static class ArrowCells
{
    /// <summary>Rows [from, from + count) of the array become rows [0, count) of the column.</summary>
    public static void Copy(IArrowArray array, int from, int count, EventColumn column, Utf8Arena arena)
    {
        var lanes = column.Lanes.AsSpan(0, count);
        CopyValidity(array, from, column.Valid.AsSpan(0, count));
        switch (array)
        {
            case Int64Array a: a.Values.Slice(from, count).CopyTo(lanes); break;
            case DoubleArray a: MemoryMarshal.Cast<double, long>(a.Values.Slice(from, count)).CopyTo(lanes); break;
            case TimestampArray a: CopyTimes(a, from, lanes); break;
            case Int32Array a: Widen(a.Values.Slice(from, count), lanes); break;
            case Int16Array a: Widen(a.Values.Slice(from, count), lanes); break;
            case Int8Array a: Widen(a.Values.Slice(from, count), lanes); break;
            case UInt32Array a: Widen(a.Values.Slice(from, count), lanes); break;
            case UInt16Array a: Widen(a.Values.Slice(from, count), lanes); break;
            case UInt8Array a: Widen(a.Values.Slice(from, count), lanes); break;
            case Date32Array a: CopyDays(a.Values.Slice(from, count), lanes); break;
            case FloatArray a:
                for (var i = 0; i < count; i++)
                    lanes[i] = BitConverter.DoubleToInt64Bits(a.Values[from + i]);
                break;
            case BooleanArray a:
                for (var i = 0; i < count; i++)
                    lanes[i] = a.GetValue(from + i) == true ? 1 : 0;
                break;
            case StringArray a: CopyText(a, from, lanes, arena); break;
            case LargeStringArray a:
                for (var i = 0; i < count; i++)
                    lanes[i] = arena.Append(a.GetBytes(from + i));
                break;
            case DictionaryArray a: CopyDictionary(a, from, lanes, column.Valid, arena); break;
            default: throw new InvalidDataException($"no field can be read from Arrow type {array.Data.DataType.Name}");
        }

        if (array.NullCount != 0)
            ClearNulls(lanes, column.Valid);
    }

    private static void CopyValidity(IArrowArray array, int from, Span<byte> valid)
    {
        if (array.NullCount == 0)
        {
            valid.Fill(1);
            return;
        }

        for (var i = 0; i < valid.Length; i++)
            valid[i] = array.IsValid(from + i) ? (byte)1 : (byte)0;
    }

    /// <summary>A null row has lane 0, whatever the file holds there.</summary>
    private static void ClearNulls(Span<long> lanes, byte[] valid)
    {
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] &= -(long)valid[i];
    }

    private static void Widen<T>(ReadOnlySpan<T> values, Span<long> lanes)
        where T : struct, System.Numerics.INumberBase<T>
    {
        for (var i = 0; i < values.Length; i++)
            lanes[i] = long.CreateTruncating(values[i]);
    }

    private static void CopyDays(ReadOnlySpan<int> days, Span<long> lanes)
    {
        for (var i = 0; i < days.Length; i++)
            lanes[i] = days[i] * Shared.Time.TimeGrid.MicrosPerDay;
    }

    private static void CopyTimes(TimestampArray array, int from, Span<long> lanes)
    {
        var values = array.Values.Slice(from, lanes.Length);
        var unit = ((TimestampType)array.Data.DataType).Unit;
        for (var i = 0; i < values.Length; i++)
        {
            lanes[i] = unit switch
            {
                TimeUnit.Second => values[i] * 1_000_000,
                TimeUnit.Millisecond => values[i] * 1_000,
                TimeUnit.Nanosecond => (long)Math.Floor(values[i] / 1_000m),
                _ => values[i],
            };
        }
    }

    private static void CopyText(StringArray array, int from, Span<long> lanes, Utf8Arena arena)
    {
        var starts = array.ValueOffsets.Slice(from, lanes.Length + 1);
        var shift = arena.Length - starts[0];
        arena.Append(array.Values[starts[0]..starts[^1]]);
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] = Utf8Arena.Pack(starts[i] + shift, starts[i + 1] - starts[i]);
    }

    private static void CopyDictionary(DictionaryArray array, int from, Span<long> lanes, byte[] valid, Utf8Arena arena)
    {
        var words = (StringArray)array.Dictionary;
        var wordLanes = new long[words.Length];
        CopyText(words, 0, wordLanes, arena);
        for (var i = 0; i < lanes.Length; i++)
        {
            if (valid[i] == 0)
                continue;
            var word = array.Indices switch
            {
                Int32Array a => a.Values[from + i],
                Int16Array a => a.Values[from + i],
                _ => ((Int8Array)array.Indices).Values[from + i],
            };
            lanes[i] = wordLanes[word];
        }
    }
}
