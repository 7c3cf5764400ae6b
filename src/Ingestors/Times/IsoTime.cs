using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Times;

/// <summary>
/// ISO 8601 dates and times out of UTF-8 bytes, without garbage: <c>2013-05-01</c>, <c>2013-05-01T08:30[:00[.123456]][Z|+02:00|+0200|+02]</c>,
/// a space in place of the T. Digits past the microsecond are cut off. Pure.
/// </summary>
internal static class IsoTime
{
    /// <summary>Greatest distance from 1970 that is taken, about 8,000 years, so that no arithmetic on times overflows.</summary>
    public const double MaxSeconds = 253_402_300_800;

    /// <param name="text">The text.</param>
    /// <param name="timeUs">UTC where <paramref name="hasOffset"/>, else on the local calendar.</param>
    /// <param name="hasOffset">The text ends with Z or an offset.</param>
    public static bool TryParse(ReadOnlySpan<byte> text, out long timeUs, out bool hasOffset)
    {
        timeUs = 0;
        hasOffset = false;
        if (!TryDate(ref text, out var days))
            return false;
        timeUs = days * TimeGrid.MicrosPerDay;
        if (text.IsEmpty)
            return true;
        if (text[0] is not ((byte)'T' or (byte)' ' or (byte)'t'))
            return false;
        text = text[1..];
        if (!TryClock(ref text, out var clockUs))
            return false;
        timeUs += clockUs;
        if (text.IsEmpty)
            return true;
        hasOffset = true;
        if (text.Length == 1 && text[0] is (byte)'Z' or (byte)'z')
            return text.Length == 1;
        if (!TryOffset(text, out var offsetUs))
            return false;
        timeUs -= offsetUs;
        return true;
    }

    private static bool TryDate(ref ReadOnlySpan<byte> text, out long days)
    {
        days = 0;
        if (text.Length < 10 || text[4] != '-' || text[7] != '-'
            || !TryDigits(text[..4], out var year) || !TryDigits(text[5..7], out var month) || !TryDigits(text[8..10], out var day)
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        days = new DateOnly(year, month, day).DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;
        text = text[10..];
        return true;
    }

    private static bool TryClock(ref ReadOnlySpan<byte> text, out long clockUs)
    {
        clockUs = 0;
        if (text.Length < 5 || text[2] != ':' || !TryDigits(text[..2], out var hour) || !TryDigits(text[3..5], out var minute) || hour > 23 || minute > 59)
            return false;
        clockUs = (hour * TimeGrid.MicrosPerHour) + (minute * TimeGrid.MicrosPerMinute);
        text = text[5..];
        if (text.IsEmpty || text[0] != ':')
            return true;
        if (text.Length < 3 || !TryDigits(text[1..3], out var second) || second > 59)
            return false;
        clockUs += second * TimeGrid.MicrosPerSecond;
        text = text[3..];
        if (text.IsEmpty || text[0] is not ((byte)'.' or (byte)','))
            return true;
        var digits = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        digits = digits < 0 ? text.Length - 1 : digits;
        if (digits is 0 or > 12)
            return false;
        for (var i = 0; i < 6; i++)
            clockUs += (i < digits ? text[1 + i] - '0' : 0) * Power10(5 - i);
        text = text[(1 + digits)..];
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<byte> text, out long offsetUs)
    {
        offsetUs = 0;
        if (text[0] is not ((byte)'+' or (byte)'-'))
            return false;
        var negative = text[0] == '-';
        text = text[1..];
        var minutes = 0;
        if (text.Length is not (2 or 4 or 5) || (text.Length == 5 && text[2] != ':') || !TryDigits(text[..2], out var hours))
            return false;
        if ((text.Length > 2 && !TryDigits(text[^2..], out minutes)) || hours > 18 || minutes > 59)
            return false;
        offsetUs = ((hours * 60) + minutes) * TimeGrid.MicrosPerMinute * (negative ? -1 : 1);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var b in text)
        {
            if (b is < (byte)'0' or > (byte)'9')
                return false;
            value = (value * 10) + b - '0';
        }

        return true;
    }

    private static int Power10(int exponent)
    {
        var power = 1;
        for (var i = 0; i < exponent; i++)
            power *= 10;
        return power;
    }
}
