using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using StreamMl.Shared.Time;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Single values as Avro, into a type that is no union. False where the value is not of the type; then nothing was written. Pure;
/// thread-safe (one scratch per thread).
/// </summary>
internal static class ScalarWriter
{
    /// <summary>A whole number: for a timestamp in the field's own unit.</summary>
    public static bool TryWhole(AvroType type, long value, ByteScratch to)
    {
        switch (type.Kind)
        {
            case AvroKind.Int when value != (int)value:
                return false;
            case AvroKind.Int or AvroKind.Long:
                if (type.IsTimestamp && !TimeUnit.All[TimeUnit.IndexOf(type.Logical)].TryToMicros(value, out _))
                    return false;
                to.AppendVarint(value);
                return true;
            case AvroKind.Float or AvroKind.Double:
                return TryNumber(type, value, to);
            default:
                return type.Logical == AvroLogical.Decimal && TryDecimal(type, value, 0, to);
        }
    }

    /// <summary>A number with a fraction, or a whole one that came as a double.</summary>
    public static bool TryNumber(AvroType type, double value, ByteScratch to)
    {
        switch (type.Kind)
        {
            case AvroKind.Double:
                MemoryMarshal.Write(to.Reserve(sizeof(double)), in value);
                return true;
            case AvroKind.Float:
                var single = (float)value;
                if (float.IsInfinity(single) && double.IsFinite(value))
                    return false;
                MemoryMarshal.Write(to.Reserve(sizeof(float)), in single);
                return true;
            case AvroKind.Int or AvroKind.Long:
                return Math.Abs(value) <= 9_007_199_254_740_992 && value == Math.Floor(value) && TryWhole(type, (long)value, to);
            default:
                return false;
        }
    }

    /// <summary>A time in microseconds; cut down to the unit of the field.</summary>
    public static bool TryTime(AvroType type, long timeUs, ByteScratch to)
    {
        if (!type.IsTimestamp || !TimeUnit.All[TimeUnit.Micros].TryToMicros(timeUs, out _))
            return false;
        to.AppendVarint(TimeGrid.TileOf(timeUs, TimeUnit.All[TimeUnit.IndexOf(type.Logical)].MicrosPerUnit));
        return true;
    }

    public static bool TryBoolean(AvroType type, bool value, ByteScratch to)
    {
        if (type.Kind != AvroKind.Boolean)
            return false;
        to.AppendByte(value ? (byte)1 : (byte)0);
        return true;
    }

    /// <summary>Text into a string or an enum.</summary>
    public static bool TryText(AvroType type, ReadOnlySpan<char> text, ByteScratch to)
    {
        if (type.Kind == AvroKind.Enum)
            return TrySymbol(type, text, to);
        if (type.Kind != AvroKind.String)
            return false;
        var start = to.Length;
        var room = to.Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        var status = System.Text.Unicode.Utf8.FromUtf16(text, room, out _, out var written, replaceInvalidSequences: false);
        if (status != System.Buffers.OperationStatus.Done)
        {
            to.Truncate(start);
            return false;
        }

        to.Truncate(start + written);
        to.InsertVarint(start, written);
        return true;
    }

    /// <summary>Valid UTF-8 into a string, an enum or bytes.</summary>
    public static bool TryUtf8(AvroType type, ReadOnlySpan<byte> utf8, ByteScratch to)
    {
        if (type.Kind == AvroKind.Enum)
            return TrySymbol(type, Encoding.UTF8.GetString(utf8), to);
        if (type.Kind != AvroKind.String || !System.Text.Unicode.Utf8.IsValid(utf8))
            return false;
        to.AppendVarint(utf8.Length);
        to.Append(utf8);
        return true;
    }

    public static bool TryBytes(AvroType type, ReadOnlySpan<byte> bytes, ByteScratch to)
    {
        if (type.Kind == AvroKind.Bytes)
            to.AppendVarint(bytes.Length);
        else if (type.Kind != AvroKind.Fixed || bytes.Length != type.Size)
            return false;
        to.Append(bytes);
        return true;
    }

    /// <summary>Avro's JSON form of bytes: each character is one byte.</summary>
    public static bool TryLatin1(AvroType type, ReadOnlySpan<char> text, ByteScratch to)
    {
        if (type.Kind is not (AvroKind.Bytes or AvroKind.Fixed) || text.IndexOfAnyExceptInRange('\0', '\u00ff') >= 0)
            return false;
        return TryBytes(type, Encoding.Latin1.GetBytes(text.ToString()), to);
    }

    /// <summary><paramref name="value"/> / 10^<paramref name="valueScale"/>; exact, or refused.</summary>
    public static bool TryDecimal(AvroType type, BigInteger value, int valueScale, ByteScratch to)
    {
        var shift = type.Scale - valueScale;
        var rest = BigInteger.Zero;
        var unscaled = shift >= 0 ? value * BigInteger.Pow(10, shift) : BigInteger.DivRem(value, BigInteger.Pow(10, -shift), out rest);
        if (!rest.IsZero || BigInteger.Abs(unscaled) >= BigInteger.Pow(10, type.Precision))
            return false;
        var bytes = unscaled.ToByteArray(isUnsigned: false, isBigEndian: true);
        if (type.Kind == AvroKind.Bytes)
            return TryBytes(type, bytes, to);
        if (type.Kind != AvroKind.Fixed || bytes.Length > type.Size)
            return false;
        // Sign extension to the fixed size.
        to.Reserve(type.Size - bytes.Length).Fill(unscaled.Sign < 0 ? (byte)0xff : (byte)0);
        to.Append(bytes);
        return true;
    }

    private static bool TrySymbol(AvroType type, ReadOnlySpan<char> text, ByteScratch to)
    {
        for (var i = 0; i < type.Symbols.Count; i++)
        {
            if (text.SequenceEqual(type.Symbols[i]))
            {
                to.AppendVarint(i);
                return true;
            }
        }

        return false;
    }
}
