using NodaTime;
using NodaTime.Text;
using StreamMl.Ingestors.Times;
using StreamMl.Shared.Definitions;
using YamlDotNet.RepresentationModel;

namespace StreamMl.Ingestors.Mapping;

/// <summary>Reads a time of a mapping: the expression alone, or a block of time, format, unit and zone.</summary>
internal static class TimeReader
{
    private const string AnExample = "Write `eventTime: sched_dep - 30m` or `{ time: when, format: yyyy-MM-dd HH:mm, zone: America/New_York }`";

    /// <summary>Null, and findings, where it is not one.</summary>
    public static FromTime? Read(string path, YamlNode node, List<Diagnostic> diagnostics)
    {
        if (node is YamlScalarNode { Value: { Length: > 0 } text })
            return Parse(text, TimeFormat.Iso, new SourceLocation(path, (int)node.Start.Line, (int)node.Start.Column), diagnostics);
        var block = new YamlBlock(path, node, diagnostics);
        var time = block.TakeText("time");
        var format = ReadFormat(block);
        block.Finish("a time");
        if (time is not { } t)
        {
            block.Error(block.Location, "the time names no column", AnExample);
            return null;
        }

        return Parse(t.Text, format, t.Location, diagnostics);
    }

    private static FromTime? Parse(string text, TimeFormat format, SourceLocation location, List<Diagnostic> diagnostics)
    {
        try
        {
            return new FromTime(TimeExpression.Parse(text, format), location);
        }
        catch (FormatException e)
        {
            diagnostics.Add(new Diagnostic(Severity.Error, location, e.Message, AnExample));
            return null;
        }
    }

    private static TimeFormat ReadFormat(YamlBlock block)
    {
        var (unit, zone) = (ReadUnit(block), ReadZone(block));
        if (block.TakeText("format") is not { } pattern)
            return new TimeFormat(unit, null, zone);
        try
        {
            return new TimeFormat(unit, pattern.Text, zone);
        }
        catch (InvalidPatternException e)
        {
            block.Error(pattern.Location, $"the format '{pattern.Text}' is not understood: {e.Message}", "Write it as yyyy-MM-dd HH:mm:ss; leave it out for ISO 8601");
            return new TimeFormat(unit, null, zone);
        }
    }

    private static EpochUnit? ReadUnit(YamlBlock block)
    {
        if (block.TakeText("unit") is not { } text)
            return null;
        switch (text.Text)
        {
            case "s":
                return EpochUnit.Seconds;
            case "ms":
                return EpochUnit.Milliseconds;
            case "us":
                return EpochUnit.Microseconds;
            case "ns":
                return EpochUnit.Nanoseconds;
            default:
                block.Error(text.Location, $"there is no unit '{text.Text}'", "Write s, ms, us or ns since 1970");
                return null;
        }
    }

    private static DateTimeZone? ReadZone(YamlBlock block)
    {
        if (block.TakeText("zone") is not { } text)
            return null;
        if (DateTimeZoneProviders.Tzdb.GetZoneOrNull(text.Text) is { } zone)
            return zone;
        block.Error(text.Location, $"there is no time zone '{text.Text}'", "Write a name of the tz database: UTC, Europe/Berlin, America/New_York");
        return null;
    }
}
