using System.Globalization;

namespace StreamMl.Shared.Definitions;

/// <summary>Durations as definitions write them: a whole number and s, m, h or d: 30s, 15m, 24h, 7d. Also 90ms. Pure.</summary>
public static class Durations
{
    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay),
    ];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var digits = text.AsSpan().Trim();
        var split = digits.IndexOfAnyExceptInRange('0', '9');
        if (split <= 0 || !long.TryParse(digits[..split], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return false;
        var unit = digits[split..].Trim().ToString();
        foreach (var (name, ticks) in Units)
        {
            if (name == unit && count <= long.MaxValue / ticks)
            {
                duration = new TimeSpan(count * ticks);
                return true;
            }
        }

        return false;
    }

    /// <summary>The shortest text with a whole number, hours up to 48: 90m stays 90m, 60m is 1h, 24h stays 24h, 168h is 7d.</summary>
    public static string Format(TimeSpan duration)
    {
        var ticks = duration.Ticks;
        if (ticks == 0)
            return "0s";
        if (ticks % TimeSpan.TicksPerDay == 0 && ticks > TimeSpan.TicksPerDay)
            return $"{ticks / TimeSpan.TicksPerDay}d";
        if (ticks % TimeSpan.TicksPerHour == 0)
            return $"{ticks / TimeSpan.TicksPerHour}h";
        if (ticks % TimeSpan.TicksPerMinute == 0)
            return $"{ticks / TimeSpan.TicksPerMinute}m";
        return ticks % TimeSpan.TicksPerSecond == 0 ? $"{ticks / TimeSpan.TicksPerSecond}s" : $"{ticks / TimeSpan.TicksPerMillisecond}ms";
    }
}
