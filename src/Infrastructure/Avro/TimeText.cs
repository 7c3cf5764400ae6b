using StreamMl.Shared.Time;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// ISO 8601 times: <c>2013-05-01</c>, <c>2013-05-01T08:30</c>, <c>2013-05-01 08:30:15.123456+02:00</c>, <c>...Z</c>. Without an offset a time is in UTC.
/// Digits beyond the microsecond are cut. Pure; no allocation.
/// </summary>
internal static class TimeText
{
    public static bool TryParse(ReadOnlySpan<char> text, out long timeUs)
    {
        timeUs = 0;
        if (!TryDigits(ref text, 4, out var year) || !Take(ref text, '-') || !TryDigits(ref text, 2, out var month) || !Take(ref text, '-') || !TryDigits(ref text, 2, out var day))
            return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        timeUs = TimeGrid.FromDateTime(new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc));
        if (text.IsEmpty)
            return true;
        if (!Take(ref text, 'T') && !Take(ref text, 't') && !Take(ref text, ' '))
            return false;
        if (!TryTimeOfDay(ref text, out var ofDayUs) || !TryOffset(text, out var offsetUs))
            return false;
        timeUs += ofDayUs - offsetUs;
        return TimeUnit.All[TimeUnit.Micros].TryToMicros(timeUs, out _);
    }

    private static bool TryTimeOfDay(ref ReadOnlySpan<char> text, out long micros)
    {
        micros = 0;
        if (!TryDigits(ref text, 2, out var hour) || !Take(ref text, ':') || !TryDigits(ref text, 2, out var minute))
            return false;
        var second = 0;
        var fraction = 0L;
        if (Take(ref text, ':'))
        {
            if (!TryDigits(ref text, 2, out second))
                return false;
            if ((Take(ref text, '.') || Take(ref text, ',')) && !TryFraction(ref text, out fraction))
                return false;
        }

        micros = (hour * TimeGrid.MicrosPerHour) + (minute * TimeGrid.MicrosPerMinute) + (second * TimeGrid.MicrosPerSecond) + fraction;
        return hour < 24 && minute < 60 && second < 60;
    }

    private static bool TryFraction(ref ReadOnlySpan<char> text, out long micros)
    {
        micros = 0;
        var digits = text.IndexOfAnyExceptInRange('0', '9');
        if (digits < 0)
            digits = text.Length;
        if (digits is 0 or > 9)
            return false;
        for (var i = 0; i < 6; i++)
            micros = (micros * 10) + (i < digits ? text[i] - '0' : 0);
        text = text[digits..];
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<char> text, out long micros)
    {
        micros = 0;
        if (text.IsEmpty || text is "Z" or "z")
            return true;
        var negative = text[0] == '-';
        if (!negative && text[0] != '+')
            return false;
        text = text[1..];
        if (!TryDigits(ref text, 2, out var hours))
            return false;
        var minutes = 0;
        Take(ref text, ':');
        if (!text.IsEmpty && !TryDigits(ref text, 2, out minutes))
            return false;
        micros = ((hours * TimeGrid.MicrosPerHour) + (minutes * TimeGrid.MicrosPerMinute)) * (negative ? -1 : 1);
        return text.IsEmpty && hours <= 18 && minutes < 60;
    }

    private static bool TryDigits(ref ReadOnlySpan<char> text, int count, out int value)
    {
        value = 0;
        if (text.Length < count)
            return false;
        foreach (var c in text[..count])
        {
            if (!char.IsAsciiDigit(c))
                return false;
            value = (value * 10) + (c - '0');
        }

        text = text[count..];
        return true;
    }

    private static bool Take(ref ReadOnlySpan<char> text, char c)
    {
        if (text.IsEmpty || text[0] != c)
            return false;
        text = text[1..];
        return true;
    }
}
