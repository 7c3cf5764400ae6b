using System.Globalization;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill;

/// <summary>An option of the command <c>backfill</c>.</summary>
/// <param name="Name">With its dashes.</param>
/// <param name="Value">What its value is called in the usage; empty for a flag.</param>
/// <param name="Help">One line.</param>
/// <param name="IsRepeated">May be given several times.</param>
public sealed record BackfillArgument(string Name, string Value, string Help, bool IsRepeated = false)
{
    public bool IsFlag => Value.Length == 0;
}

/// <summary>The options of the command <c>backfill</c>, for every program that has it: what there is, and what it means.</summary>
public static class BackfillArguments
{
    public const string From = "--from";
    public const string Out = "--out";

    public static IReadOnlyList<BackfillArgument> All { get; } =
    [
        new("--spine", "FILE", "Label rows (.parquet, .arrow, .csv); default: a row per trigger event"),
        new("--time", "COLUMN", "The spine's time column"),
        new("--sorted", "", "Refuse a spine that is not in the order of its time"),
        new("--allow-before-archive", "", "Take label times before the first archived event"),
        new("--from-time", "TIME", "Only trigger events at or after this time, as 2013-05-01 or 2013-05-01T08:30:00Z"),
        new("--until-time", "TIME", "Only trigger events before this time"),
        new(From, "DIR", "The archive"),
        new(Out, "DIR", "Where the training set goes"),
        new("--label", "RULE", "A label from another source: \"late: arr_delay > 15 from landings on flight_id\""),
        new("--event-time", "", "Order events by event time, not by arrival"),
        new("--delay", "DURATION", "From event time to arrival, in event-time mode and for history files; default 0s"),
        new("--history", "source=FILE", "Events that never passed through a log", IsRepeated: true),
        new("--served", "DIR", "Use the prefixes that were served online: the directory above served/"),
        new("--memory", "SIZE", "Rows, reads and labels kept in memory, as 512MB or 2GB; default 1GB"),
        new("--cores", "N", "Threads; default: one per core"),
        new("--rows-per-file", "N", "Rows per file of the training set; default 262144"),
        new("--overwrite", "", "Replace a training set made from something else"),
    ];

    /// <param name="service">The service's name.</param>
    /// <param name="valuesOf">The values given for an option, by its name; for a flag one of any content.</param>
    /// <param name="archive">Where <see cref="From"/> is not given; null: it must be.</param>
    /// <param name="output">Where <see cref="Out"/> is not given; null: it must be.</param>
    /// <exception cref="BackfillException">A value cannot be understood, or one is missing.</exception>
    public static BackfillOptions ToOptions(string service, Func<string, IReadOnlyList<string>> valuesOf, string? archive = null, string? output = null)
    {
        string? Text(string name) => valuesOf(name) is { Count: > 0 } values ? values[^1] : null;
        bool Flag(string name) => valuesOf(name).Count > 0;
        return new BackfillOptions
        {
            Service = service,
            Spine = Text("--spine"),
            TimeColumn = Text("--time"),
            AssertSorted = Flag("--sorted"),
            AllowBeforeArchive = Flag("--allow-before-archive"),
            FromTimeUs = Text("--from-time") is { } from ? Time("--from-time", from) : null,
            UntilTimeUs = Text("--until-time") is { } until ? Time("--until-time", until) : null,
            Archive = Text(From) ?? archive ?? throw new BackfillException($"{From} DIR is missing: the archive"),
            Output = Text(Out) ?? output ?? throw new BackfillException($"{Out} DIR is missing: where the training set goes"),
            Label = Text("--label"),
            EventTime = Flag("--event-time"),
            Delay = Text("--delay") is { } delay ? Duration("--delay", delay) : TimeSpan.Zero,
            History = [.. valuesOf("--history").Select(History)],
            Served = Text("--served"),
            MemoryBytes = Text("--memory") is { } memory ? Bytes(memory) : 1L << 30,
            Cores = Text("--cores") is { } cores ? Number("--cores", cores) : Environment.ProcessorCount,
            RowsPerFile = Text("--rows-per-file") is { } rows ? Number("--rows-per-file", rows) : 262_144,
            Overwrite = Flag("--overwrite"),
        };
    }

    /// <summary>1GB, 512MB or a number of bytes.</summary>
    internal static long Bytes(string text)
    {
        foreach (var (unit, factor) in new[] { ("GB", 1L << 30), ("MB", 1L << 20), ("", 1L) })
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase) && long.TryParse(text[..^unit.Length], CultureInfo.InvariantCulture, out var count))
                return count * factor;
        }

        throw new BackfillException($"--memory '{text}' is no size: write 1GB, 512MB or a number of bytes");
    }

    private static HistoryFile History(string text) => text.IndexOf('=') is > 0 and var at
        ? new HistoryFile(text[..at], text[(at + 1)..])
        : throw new BackfillException($"--history '{text}': write it as source=FILE");

    private static TimeSpan Duration(string name, string text) => Durations.TryParse(text, out var duration)
        ? duration
        : throw new BackfillException($"{name} '{text}' is no duration: write a whole number and ms, s, m, h or d, as 5m");

    private static int Number(string name, string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new BackfillException($"{name} '{text}' is no whole number");

    private static long Time(string name, string text) =>
        text.Length >= 10 && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time)
            ? TimeGrid.FromDateTime(time)
            : throw new BackfillException($"{name} '{text}' is no time: write 2013-05-01 or 2013-05-01T08:30:00Z (UTC where no zone is given)");
}
