using StreamMl.Shared.Time;

namespace StreamMl.ModelEngine.Steps;

/// <summary>Parts of a clock time given in microseconds since 1970, proleptic Gregorian. Pure; thread-safe.</summary>
internal static class Calendar
{
    private static readonly long FirstUs = TimeGrid.FromDateTime(DateTime.MinValue);
    private static readonly long LastUs = TimeGrid.FromDateTime(DateTime.MaxValue);

    /// <summary>The clock time of a place; false where the calendar (years 1 to 9999) ends.</summary>
    public static bool TryLocal(long timeUs, int utcOffsetMinutes, out long localUs)
    {
        localUs = unchecked(timeUs + (utcOffsetMinutes * TimeGrid.MicrosPerMinute));
        return timeUs >= FirstUs && timeUs <= LastUs && localUs >= FirstUs && localUs <= LastUs;
    }

    /// <summary>The time's place in the cycle, from 0 up to, but not, 1.</summary>
    public static double Share(long timeUs, TimeCycle cycle) => cycle switch
    {
        TimeCycle.MinuteOfHour => Within(timeUs, TimeGrid.MicrosPerHour),
        TimeCycle.HourOfDay => Within(timeUs, TimeGrid.MicrosPerDay),
        // 1970-01-01 was a Thursday, day 4 of a week that begins on Sunday.
        TimeCycle.DayOfWeek => Within(timeUs + (4 * TimeGrid.MicrosPerDay), 7 * TimeGrid.MicrosPerDay),
        TimeCycle.DayOfYear => YearShare(TimeGrid.ToDateTime(timeUs)),
        TimeCycle.Month => MonthShare(TimeGrid.ToDateTime(timeUs)),
        _ => throw new ArgumentOutOfRangeException(nameof(cycle), cycle, "no such cycle"),
    };

    public static double Part(long timeUs, TimePart part) => part switch
    {
        TimePart.Hour => Whole(timeUs, TimeGrid.MicrosPerDay, TimeGrid.MicrosPerHour),
        TimePart.Minute => Whole(timeUs, TimeGrid.MicrosPerHour, TimeGrid.MicrosPerMinute),
        TimePart.MinuteOfDay => Whole(timeUs, TimeGrid.MicrosPerDay, TimeGrid.MicrosPerMinute),
        TimePart.DayOfWeek => Whole(timeUs + (4 * TimeGrid.MicrosPerDay), 7 * TimeGrid.MicrosPerDay, TimeGrid.MicrosPerDay),
        TimePart.Day => TimeGrid.ToDateTime(timeUs).Day,
        TimePart.DayOfYear => TimeGrid.ToDateTime(timeUs).DayOfYear,
        TimePart.Month => TimeGrid.ToDateTime(timeUs).Month,
        TimePart.Year => TimeGrid.ToDateTime(timeUs).Year,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "no such part of a time"),
    };

    private static double Within(long timeUs, long periodUs) => (timeUs - TimeGrid.Floor(timeUs, periodUs)) / (double)periodUs;

    private static double Whole(long timeUs, long periodUs, long unitUs) => (timeUs - TimeGrid.Floor(timeUs, periodUs)) / unitUs;

    private static double YearShare(DateTime time) => (time.DayOfYear - 1 + time.TimeOfDay.TotalDays) / (DateTime.IsLeapYear(time.Year) ? 366 : 365);

    private static double MonthShare(DateTime time) =>
        (time.Month - 1 + ((time.Day - 1 + time.TimeOfDay.TotalDays) / DateTime.DaysInMonth(time.Year, time.Month))) / 12;
}
