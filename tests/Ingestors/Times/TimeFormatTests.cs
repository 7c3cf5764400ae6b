using System.Text;
using CsCheck;
using NodaTime;
using StreamMl.Ingestors.Times;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Tests.Times;

public sealed class TimeFormatTests
{
    [Theory]
    [InlineData("2013-05-01T08:30:00Z", "2013-05-01T08:30:00Z")]
    [InlineData("2013-05-01 08:30:00.123456789Z", "2013-05-01T08:30:00.123456Z")]
    [InlineData("2013-05-01T08:30+02:00", "2013-05-01T06:30:00Z")]
    [InlineData("2013-05-01T08:30:15-0330", "2013-05-01T12:00:15Z")]
    [InlineData("1969-12-31T23:59:59.9+00", "1969-12-31T23:59:59.9Z")]
    public void TryParse_IsoTime_GivesUtc(string text, string expected)
    {
        TimeFormat.Iso.TryParse(Encoding.UTF8.GetBytes(text), out var timeUs, out var problem).ShouldBeTrue(problem);
        TimeGrid.Format(timeUs).ShouldBe(expected);
    }

    [Theory]
    [InlineData("2013-02-29T00:00:00Z", "is not an ISO 8601 time")]
    [InlineData("2013-05-01T24:00:00Z", "is not an ISO 8601 time")]
    [InlineData("2013-05-01T08:30:00Zx", "is not an ISO 8601 time")]
    [InlineData("2013-05-01T08:30:00+", "is not an ISO 8601 time")]
    [InlineData("1367397000", "say `format:` (a pattern) or `unit:`")]
    [InlineData("2013-05-01T08:30:00", "say `zone:`")]
    public void TryParse_NoTime_SaysWhatToDo(string text, string expected)
    {
        TimeFormat.Iso.TryParse(Encoding.UTF8.GetBytes(text), out _, out var problem).ShouldBeFalse();
        problem.ShouldNotBeNull().ShouldContain(expected);
    }

    [Fact]
    public void TryParse_AnyTimeAsIso_IsReadBack() =>
        Gen.Long[-62_135_596_800_000_000, 253_402_300_799_999_999].Sample(timeUs =>
            TimeFormat.Iso.TryParse(Encoding.UTF8.GetBytes(TimeGrid.Format(timeUs)), out var read, out _) && read == timeUs);

    [Fact]
    public void TryParse_LocalTimeInZone_FollowsDaylightSaving()
    {
        var format = new TimeFormat(null, "dd.MM.yyyy HH:mm", DateTimeZoneProviders.Tzdb["America/New_York"]);
        Parse("01.01.2013 12:00").ShouldBe("2013-01-01T17:00:00Z");
        Parse("01.07.2013 12:00").ShouldBe("2013-07-01T16:00:00Z");
        Parse("10.03.2013 02:30").ShouldBe("2013-03-10T07:30:00Z", "the hour that is skipped is moved on");
        Parse("03.11.2013 01:30").ShouldBe("2013-11-03T05:30:00Z", "of the hour that comes twice it is the first");

        string Parse(string text)
        {
            format.TryParse(Encoding.UTF8.GetBytes(text), out var timeUs, out var problem).ShouldBeTrue(problem);
            return TimeGrid.Format(timeUs);
        }
    }

    [Theory]
    [InlineData("Seconds", "1367397000", 1_367_397_000_000_000)]
    [InlineData("Seconds", "1367397000.25", 1_367_397_000_250_000)]
    [InlineData("Milliseconds", "-1500", -1_500_000)]
    [InlineData("Microseconds", "1500", 1500)]
    [InlineData("Nanoseconds", "-1", -1)]
    public void TryParse_EpochNumber_CountsItsUnit(string unit, string text, long expected)
    {
        new TimeFormat(Enum.Parse<EpochUnit>(unit)).TryParse(Encoding.UTF8.GetBytes(text), out var timeUs, out var problem).ShouldBeTrue(problem);
        timeUs.ShouldBe(expected);
    }

    [Fact]
    public void TryParse_EpochOfAnotherUnit_IsRefused()
    {
        new TimeFormat(EpochUnit.Seconds).TryParse("1367397000000"u8, out _, out var problem).ShouldBeFalse();
        problem.ShouldNotBeNull().ShouldContain("check `unit:`");
    }

    [Fact]
    public void Parse_Expression_NamesColumnsAndTerms()
    {
        var time = TimeExpression.Parse("`sched dep`+dep_delay minutes - 30m", TimeFormat.Iso);
        time.Column.ShouldBe("sched dep");
        time.Terms.ShouldBe([new TimeTerm("dep_delay", 60_000_000), new TimeTerm(null, -1_800_000_000)]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("+ 30m")]
    [InlineData("a b")]
    [InlineData("a +")]
    [InlineData("a + b")]
    [InlineData("a + b parsecs")]
    public void Parse_NoExpression_ShowsOne(string text) =>
        Should.Throw<FormatException>(() => TimeExpression.Parse(text, TimeFormat.Iso)).Message.ShouldContain("sched_dep + dep_delay minutes");
}
