using System.Buffers.Text;
using System.Text;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Times;

/// <summary>What one count of a numeric time is.</summary>
internal enum EpochUnit
{
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// <summary>
/// How a column says a time. Text is ISO 8601 unless a pattern (NodaTime's, as .NET's custom formats) is given; numbers, and text that is a
/// number, count a unit since 1970-01-01 UTC. A local time needs a zone; where clocks go back it is the earlier of the two, where they
/// go forward it is moved on by the gap. Immutable; thread-safe.
/// </summary>
internal sealed class TimeFormat
{
    private readonly LocalDateTimePattern? localPattern;
    private readonly OffsetDateTimePattern? offsetPattern;

    /// <param name="unit">Of numbers; null: text.</param>
    /// <param name="pattern">Of text; null: ISO 8601. With an <c>o&lt;...&gt;</c> part it holds an offset of its own.</param>
    /// <param name="zone">Of times without an offset; null: they are refused.</param>
    public TimeFormat(EpochUnit? unit = null, string? pattern = null, DateTimeZone? zone = null)
    {
        Unit = unit;
        Zone = zone;
        Pattern = pattern;
        if (pattern is null)
            return;
        if (pattern.Contains("o<", StringComparison.Ordinal))
            offsetPattern = OffsetDateTimePattern.CreateWithInvariantCulture(pattern);
        else
            localPattern = LocalDateTimePattern.CreateWithInvariantCulture(pattern);
    }

    public static TimeFormat Iso { get; } = new();

    public EpochUnit? Unit { get; }

    public string? Pattern { get; }

    public DateTimeZone? Zone { get; }

    /// <summary>Microseconds since the epoch, or the problem.</summary>
    public bool TryParse(ReadOnlySpan<byte> text, out long timeUs, out string? problem)
    {
        timeUs = 0;
        if (Unit is not null)
            return TryParseNumber(text, out timeUs, out problem);
        if (localPattern is not null || offsetPattern is not null)
            return TryParsePattern(Encoding.UTF8.GetString(text), out timeUs, out problem);
        if (!IsoTime.TryParse(text, out timeUs, out var hasOffset))
        {
            problem = "is not an ISO 8601 time such as 2013-05-01T08:30:00Z; say `format:` (a pattern) or `unit:` (s, ms, us, ns) in the mapping";
            return false;
        }

        return hasOffset ? Ok(out problem) : TryFromLocal(timeUs, out timeUs, out problem);
    }

    /// <summary>A time that is a number of <see cref="Unit"/>.</summary>
    public bool TryFromNumber(long count, out long timeUs, out string? problem)
    {
        timeUs = 0;
        switch (Unit)
        {
            case EpochUnit.Seconds when Math.Abs((double)count) <= IsoTime.MaxSeconds:
                timeUs = count * TimeGrid.MicrosPerSecond;
                return Ok(out problem);
            case EpochUnit.Milliseconds when Math.Abs((double)count) <= IsoTime.MaxSeconds * 1e3:
                timeUs = count * TimeGrid.MicrosPerMillisecond;
                return Ok(out problem);
            case EpochUnit.Microseconds when Math.Abs((double)count) <= IsoTime.MaxSeconds * 1e6:
                timeUs = count;
                return Ok(out problem);
            case EpochUnit.Nanoseconds:
                timeUs = TimeGrid.TileOf(count, 1000);
                return Ok(out problem);
            case null:
                problem = "is a number where a time is expected; say `unit:` (s, ms, us, ns) in the mapping";
                return false;
            default:
                problem = $"is no time between the years 1 and 9999 in {Unit}; check `unit:` in the mapping";
                return false;
        }
    }

    /// <summary>A local time, given as microseconds since 1970-01-01 on the local calendar.</summary>
    public bool TryFromLocal(long localUs, out long timeUs, out string? problem)
    {
        if (Zone is null)
        {
            timeUs = 0;
            problem = "has no offset from UTC; say `zone:` (UTC, America/New_York, ...) in the mapping";
            return false;
        }

        var local = Instant.FromUnixTimeTicks(localUs * 10).InUtc().LocalDateTime;
        timeUs = Zone.ResolveLocal(local, Resolvers.LenientResolver).ToInstant().ToUnixTimeTicks() / 10;
        return Ok(out problem);
    }

    private bool TryParseNumber(ReadOnlySpan<byte> text, out long timeUs, out string? problem)
    {
        if (Utf8Parser.TryParse(text, out long count, out var used) && used == text.Length)
            return TryFromNumber(count, out timeUs, out problem);
        timeUs = 0;
        if (!Utf8Parser.TryParse(text, out decimal fraction, out used) || used != text.Length)
        {
            problem = $"is not a number of {Unit} since 1970";
            return false;
        }

        return TryFromFraction((double)fraction, out timeUs, out problem);
    }

    /// <summary>A fractional number of <see cref="Unit"/>, rounded to the nearest microsecond.</summary>
    public bool TryFromFraction(double count, out long timeUs, out string? problem)
    {
        var us = count * Unit switch
        {
            EpochUnit.Seconds => 1e6,
            EpochUnit.Milliseconds => 1e3,
            EpochUnit.Microseconds => 1,
            EpochUnit.Nanoseconds => 1e-3,
            _ => double.NaN,
        };
        timeUs = 0;
        if (!(Math.Abs(us) <= IsoTime.MaxSeconds * 1e6))
        {
            problem = Unit is null ? "is a number where a time is expected; say `unit:` (s, ms, us, ns) in the mapping" : $"is no time between the years 1 and 9999 in {Unit}; check `unit:` in the mapping";
            return false;
        }

        timeUs = (long)Math.Round(us);
        return Ok(out problem);
    }

    private bool TryParsePattern(string text, out long timeUs, out string? problem)
    {
        timeUs = 0;
        if (offsetPattern is not null)
        {
            var parsed = offsetPattern.Parse(text);
            if (parsed.Success)
                timeUs = parsed.Value.ToInstant().ToUnixTimeTicks() / 10;
            problem = parsed.Success ? null : $"does not have the format {offsetPattern.PatternText}";
            return parsed.Success;
        }

        var local = localPattern!.Parse(text);
        if (!local.Success)
        {
            problem = $"does not have the format {localPattern.PatternText}";
            return false;
        }

        return TryFromLocal(local.Value.InUtc().ToInstant().ToUnixTimeTicks() / 10, out timeUs, out problem);
    }

    private static bool Ok(out string? problem)
    {
        problem = null;
        return true;
    }
}
