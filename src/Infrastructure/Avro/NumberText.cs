using System.Globalization;
using System.Numerics;

namespace StreamMl.Infrastructure.Avro;

/// <summary>Numbers as JSON and CSV write them. Pure; invariant culture.</summary>
internal static class NumberText
{
    /// <summary>Longest number: nothing that a decimal of 1,000 digits would need more for.</summary>
    private const int MaxLength = 1_100;

    /// <summary>A whole number; <c>517.0</c> and <c>5e3</c> are whole as well, up to 2^53, because other programs write whole numbers so.</summary>
    public static bool TryLong(ReadOnlySpan<char> text, out long value)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value))
            return true;
        if (!TryDouble(text, out var number) || Math.Abs(number) > 9_007_199_254_740_992 || number != Math.Floor(number))
            return false;
        value = (long)number;
        return true;
    }

    /// <summary>A finite number that a double can hold, or NaN, Infinity, -Infinity by name.</summary>
    public static bool TryDouble(ReadOnlySpan<char> text, out double value)
    {
        const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (IsNonFiniteName(text, out value))
            return true;
        return double.TryParse(text, styles, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    public static bool IsNonFiniteName(ReadOnlySpan<char> text, out double value)
    {
        value = text switch
        {
            "NaN" or "nan" => double.NaN,
            "Infinity" or "inf" => double.PositiveInfinity,
            "-Infinity" or "-inf" => double.NegativeInfinity,
            _ => 0,
        };
        return value != 0;
    }

    /// <summary>The unscaled value of an exact decimal; false where it is no number or needs more digits behind the point than <paramref name="scale"/>.</summary>
    public static bool TryUnscaled(ReadOnlySpan<char> text, int scale, out BigInteger unscaled)
    {
        unscaled = default;
        var exponent = 0;
        var e = text.IndexOfAny('e', 'E');
        if (e >= 0)
        {
            if (!int.TryParse(text[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
                return false;
            text = text[..e];
        }

        if (text.Length > MaxLength || Math.Abs((long)exponent) > MaxLength)
            return false;
        var point = text.IndexOf('.');
        var fraction = point < 0 ? 0 : text.Length - point - 1;
        var digits = point < 0 ? text : string.Concat(text[..point], text[(point + 1)..]);
        if (!BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out unscaled))
            return false;
        var shift = scale - fraction + exponent;
        if (shift >= 0)
        {
            unscaled *= BigInteger.Pow(10, shift);
            return true;
        }

        unscaled = BigInteger.DivRem(unscaled, BigInteger.Pow(10, -shift), out var rest);
        return rest.IsZero;
    }
}
