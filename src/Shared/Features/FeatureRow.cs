using System.Buffers;
using System.Buffers.Binary;
using StreamMl.Shared.Events;

namespace StreamMl.Shared.Features;

/// <summary>
/// The values of one read: a lane and a validity byte per feature column (lanes as in <see cref="FieldType"/>), strings in the arena.
/// Reusable; not thread-safe.
/// </summary>
public sealed class FeatureRow(int columns)
{
    public long[] Lanes { get; } = new long[columns];

    public byte[] Valid { get; } = new byte[columns];

    public Utf8Arena Arena { get; } = new(64);

    public void Clear()
    {
        Array.Clear(Lanes);
        Array.Clear(Valid);
        Arena.Clear();
    }

    public void SetNull(int column)
    {
        Lanes[column] = 0;
        Valid[column] = 0;
    }

    public void Set(int column, long lane)
    {
        Lanes[column] = lane;
        Valid[column] = 1;
    }

    public void Set(int column, double value) => Set(column, BitConverter.DoubleToInt64Bits(value));

    public void Set(int column, ReadOnlySpan<byte> utf8) => Set(column, Arena.Append(utf8));

    /// <summary>The value as a CLR object (bool, long, double, string, DateTime in UTC) or null; for JSON and messages.</summary>
    public object? Get(int column, FieldType type) => Valid[column] == 0
        ? null
        : type switch
        {
            FieldType.Boolean => Lanes[column] != 0,
            FieldType.Int64 => Lanes[column],
            FieldType.Float64 => BitConverter.Int64BitsToDouble(Lanes[column]),
            FieldType.String => Arena.GetString(Lanes[column]),
            FieldType.Timestamp => Time.TimeGrid.ToDateTime(Lanes[column]),
            _ => throw new InvalidOperationException($"no value of type {type}"),
        };

    /// <summary>
    /// The bytes that parity compares: per column a validity byte, then where valid the lane (i64 little-endian), or for a string its
    /// length (i32 little-endian) and UTF-8 bytes.
    /// </summary>
    public void WriteCanonical(int from, int count, ReadOnlySpan<FeatureColumn> columns, IBufferWriter<byte> output)
    {
        for (var i = from; i < from + count; i++)
        {
            var span = output.GetSpan(9);
            span[0] = Valid[i];
            if (Valid[i] == 0)
            {
                output.Advance(1);
            }
            else if (columns[i - from].Type == FieldType.String)
            {
                var text = Arena.Slice(Lanes[i]);
                BinaryPrimitives.WriteInt32LittleEndian(span[1..], text.Length);
                output.Advance(5);
                output.Write(text);
            }
            else
            {
                BinaryPrimitives.WriteInt64LittleEndian(span[1..], Lanes[i]);
                output.Advance(9);
            }
        }
    }
}
