using StreamMl.Ingestors.Files;
using StreamMl.Ingestors.Times;
using StreamMl.Shared.Events;

namespace StreamMl.Ingestors.NewProject;

/// <summary>How a column says times, where all its values do. <paramref name="Yaml"/> is what stands beside the column in a mapping.</summary>
internal sealed record TimeGuess(TimeFormat Format, string Yaml);

/// <summary>What the values of one column have in common. Fed value by value; not thread-safe.</summary>
internal sealed class ColumnProfile(FileColumn column)
{
    private const int DistinctMax = 10_000;

    private static readonly string[] Patterns =
    [
        "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd HH:mm", "dd.MM.yyyy HH:mm:ss", "dd.MM.yyyy HH:mm",
        "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm", "dd/MM/yyyy HH:mm:ss", "dd/MM/yyyy HH:mm", "yyyyMMddHHmmss", "MM/dd/yyyy", "dd.MM.yyyy", "yyyyMMdd",
    ];

    private readonly HashSet<string> distinct = new(StringComparer.Ordinal);
    private readonly Utf8Arena scratch = new();
    private const int GuessedFrom = 1_000;

    private readonly List<TimeGuess> times = column.IsText || column.Type == FieldType.Int64 ? [.. Guesses()] : [];
    private readonly long[] timesRead = new long[Guesses().Count()];
    private bool isBoolean = column.IsText;
    private bool isWhole = column.IsText;
    private bool isNumber = column.IsText;
    private byte[] last = [];
    private int lastLength = -1;
    private long judged;
    private long previousUs = long.MinValue;

    public string Name => column.Name;

    /// <summary>Values that are not null.</summary>
    public long Count { get; private set; }

    public long Nulls { get; private set; }

    /// <summary>Different values, up to 10,000.</summary>
    public int Distinct => distinct.Count;

    /// <summary>Values come again, on average at least once. Judged by the values until 10,000 different ones were seen.</summary>
    public bool Recurs => Distinct > 1 && Distinct * 2L <= judged;

    /// <summary>No value comes twice: a whole number is then a name, not a quantity.</summary>
    public bool IsUnique => Distinct > 1 && Distinct == judged;

    /// <summary>Of a time: the greatest; long.MinValue where there is none.</summary>
    public long GreatestUs { get; private set; } = long.MinValue;

    /// <summary>Of other columns: the last value. It is what a file that grows has something recent about.</summary>
    public string? Example => lastLength < 0 ? null : System.Text.Encoding.UTF8.GetString(last.AsSpan(0, lastLength));

    /// <summary>The values of <see cref="Time"/> never go back.</summary>
    public bool IsAscending { get; private set; } = true;

    public FieldType Type => Count == 0 || !column.IsText ? column.Type
        : isBoolean ? FieldType.Boolean
        : isWhole ? FieldType.Int64
        : isNumber ? FieldType.Float64
        : FieldType.String;

    /// <summary>Null where the column cannot be the time.</summary>
    public TimeGuess? Time => Count == 0 ? null : column.Type == FieldType.Timestamp ? new TimeGuess(TimeFormat.Iso, "")
        : times.Count > 0 && (Count - timesRead[Best]) * 100 <= Count ? times[Best] : null;

    /// <summary>Values that are no time, up to one in a hundred: their rows will be dead letters.</summary>
    public long NotTimes => column.IsText && Time is not null ? Count - timesRead[Best] : 0;

    private int Best => Array.IndexOf(timesRead, timesRead.Max());

    public void Add(ReadOnlySpan<byte> text)
    {
        Count++;
        if (distinct.Count < DistinctMax)
        {
            judged = Count;
            distinct.Add(System.Text.Encoding.UTF8.GetString(text));
        }

        if (last.Length < text.Length)
            last = new byte[text.Length * 2];
        text.CopyTo(last);
        lastLength = text.Length;

        isBoolean = isBoolean && (text.SequenceEqual("true"u8) || text.SequenceEqual("false"u8) || text.SequenceEqual("True"u8) || text.SequenceEqual("False"u8));
        // A leading zero is part of a code, not of a number.
        var isCode = text.Length > 1 && text[0] == '0' && text[1] != '.';
        isWhole = isWhole && !isCode && text.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0 && Reads(FieldType.Int64, text);
        isNumber = isNumber && !isCode && Reads(FieldType.Float64, text);
        if (times.Count > 0)
            AddTimes(text);
    }

    // Which format it is shows in the first values; to try all on each would take minutes on a large file.
    private void AddTimes(ReadOnlySpan<byte> text)
    {
        var best = Best;
        for (var i = 0; i < times.Count; i++)
        {
            if (Count > GuessedFrom && i != best)
                continue;
            if (!IsTime(times[i].Format, text, out var timeUs))
                continue;
            timesRead[i]++;
            if (i == best)
                Order(timeUs);
        }
    }

    public void AddTime(long timeUs)
    {
        Count++;
        Order(timeUs);
    }

    public void AddNull() => Nulls++;

    private static IEnumerable<TimeGuess> Guesses()
    {
        yield return new TimeGuess(TimeFormat.Iso, "");
        yield return new TimeGuess(new TimeFormat(null, null, NodaTime.DateTimeZone.Utc), "zone: UTC");
        foreach (var pattern in Patterns)
            yield return new TimeGuess(new TimeFormat(null, pattern, NodaTime.DateTimeZone.Utc), $"format: \"{pattern}\", zone: UTC");
        yield return new TimeGuess(new TimeFormat(EpochUnit.Seconds), "unit: s");
        yield return new TimeGuess(new TimeFormat(EpochUnit.Milliseconds), "unit: ms");
        yield return new TimeGuess(new TimeFormat(EpochUnit.Microseconds), "unit: us");
    }

    // A number is taken for a time only between 1980 and 2100: most numbers are none.
    private static bool IsTime(TimeFormat format, ReadOnlySpan<byte> text, out long timeUs) =>
        format.TryParse(text, out timeUs, out _) && !(format.Unit is not null && timeUs is < 315_532_800_000_000 or > 4_102_444_800_000_000);

    private void Order(long timeUs)
    {
        IsAscending = IsAscending && timeUs >= previousUs;
        previousUs = timeUs;
        GreatestUs = Math.Max(GreatestUs, timeUs);
    }

    private bool Reads(FieldType type, ReadOnlySpan<byte> text)
    {
        scratch.Clear();
        return new CellFormat(type).TryParse(text, scratch, out _, out _);
    }
}
