namespace StreamMl.Shared.Time;

/// <summary>Arithmetic on times in microseconds since the Unix epoch (UTC). Pure; thread-safe.</summary>
public static class TimeGrid
{
    /// <summary>Bytes of the longest formatted time.</summary>
    public const int MaxFormatted = 27;

    public const long MicrosPerMillisecond = 1_000;
    public const long MicrosPerSecond = 1_000_000;
    public const long MicrosPerMinute = 60 * MicrosPerSecond;
    public const long MicrosPerHour = 60 * MicrosPerMinute;
    public const long MicrosPerDay = 24 * MicrosPerHour;

    /// <summary>The one ladder of hops, ascending: 1s, 5s, 15s, 1m, 5m, 15m, 1h, 6h, 1d (microseconds).</summary>
    public static ReadOnlySpan<long> LadderUs =>
    [
        MicrosPerSecond, 5 * MicrosPerSecond, 15 * MicrosPerSecond, MicrosPerMinute, 5 * MicrosPerMinute,
        15 * MicrosPerMinute, MicrosPerHour, 6 * MicrosPerHour, MicrosPerDay,
    ];

    /// <summary>A window on its default hop needs at most this many tiles, unless it is longer than 64 days.</summary>
    public const int MaxTilesOfDefaultHop = 64;

    /// <summary>Index of the tile that holds <paramref name="timeUs"/>: floor(t / g), also for times before 1970.</summary>
    public static long TileOf(long timeUs, long hopUs)
    {
        var quotient = timeUs / hopUs;
        return timeUs < 0 && quotient * hopUs != timeUs ? quotient - 1 : quotient;
    }

    /// <summary>The start of the tile that holds <paramref name="timeUs"/>.</summary>
    public static long Floor(long timeUs, long hopUs) => TileOf(timeUs, hopUs) * hopUs;

    /// <summary>The finest hop of the ladder on which a window needs at most 64 tiles; 1d for anything longer.</summary>
    public static long DefaultHopUs(long windowUs)
    {
        foreach (var hopUs in LadderUs)
        {
            if (windowUs <= MaxTilesOfDefaultHop * hopUs)
                return hopUs;
        }

        return MicrosPerDay;
    }

    public static long ToMicros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    public static TimeSpan FromMicros(long micros) => new(micros * TimeSpan.TicksPerMicrosecond);

    public static DateTime ToDateTime(long timeUs) => DateTime.UnixEpoch.AddTicks(timeUs * TimeSpan.TicksPerMicrosecond);

    public static long FromDateTime(DateTime utc) => (utc - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>ISO 8601 in UTC with as many fraction digits as the value has: 2013-05-01T08:30:00Z.</summary>
    public static string Format(long timeUs) => ToDateTime(timeUs).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'");

    /// <summary>As <see cref="Format(long)"/>, into ASCII bytes; returns how many. There is room for <see cref="MaxFormatted"/>.</summary>
    public static int Format(long timeUs, Span<byte> into)
    {
        var time = ToDateTime(timeUs);
        Digits(into, time.Year, 4);
        into[4] = into[7] = (byte)'-';
        Digits(into[5..], time.Month, 2);
        Digits(into[8..], time.Day, 2);
        into[10] = (byte)'T';
        Digits(into[11..], time.Hour, 2);
        Digits(into[14..], time.Minute, 2);
        Digits(into[17..], time.Second, 2);
        into[13] = into[16] = (byte)':';
        var length = 19;
        var micros = (int)(time.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
        if (micros != 0)
        {
            into[length] = (byte)'.';
            Digits(into[(length + 1)..], micros, 6);
            length += 7;
            for (; into[length - 1] == (byte)'0'; length--)
            {
            }
        }

        into[length++] = (byte)'Z';
        return length;
    }

    private static void Digits(Span<byte> into, int value, int count)
    {
        for (var i = count - 1; i >= 0; i--, value /= 10)
            into[i] = (byte)('0' + (value % 10));
    }
}
