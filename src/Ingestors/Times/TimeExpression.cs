using System.Globalization;
using StreamMl.Ingestors.Files;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Times;

/// <summary>One addend: a fixed duration, or a column that counts a unit.</summary>
/// <param name="Column">Null: <paramref name="UnitUs"/> alone.</param>
/// <param name="UnitUs">Microseconds, negative where it is subtracted.</param>
internal sealed record TimeTerm(string? Column, long UnitUs);

/// <summary>
/// A time made from a column: <c>sched_dep</c>, <c>sched_dep - 30m</c>, <c>sched_dep + dep_delay minutes</c>. Column names with other
/// characters than letters, digits, '_' and '.' stand in backticks. Null where any part is null. Immutable.
/// </summary>
internal sealed record TimeExpression(string Column, IReadOnlyList<TimeTerm> Terms, TimeFormat Format)
{
    private static readonly (string[] Names, long Us)[] Units =
    [
        (["us", "microsecond", "microseconds"], 1), (["ms", "millisecond", "milliseconds"], 1000), (["s", "second", "seconds"], TimeGrid.MicrosPerSecond),
        (["m", "min", "minute", "minutes"], TimeGrid.MicrosPerMinute), (["h", "hour", "hours"], TimeGrid.MicrosPerHour), (["d", "day", "days"], TimeGrid.MicrosPerDay),
    ];

    /// <summary>The columns of the file that it reads, first the time.</summary>
    public IEnumerable<(string Column, CellFormat Format)> Inputs =>
        [(Column, new CellFormat(FieldType.Timestamp, Format)), .. Terms.Where(t => t.Column is not null).Select(t => (t.Column!, new CellFormat(FieldType.Float64)))];

    /// <exception cref="FormatException">Not of this form; the message says what is.</exception>
    public static TimeExpression Parse(string text, TimeFormat format)
    {
        var words = Split(text);
        if (words.Count == 0 || words[0] is "+" or "-")
            throw NotATime(text);
        var terms = new List<TimeTerm>();
        for (var i = 1; i < words.Count;)
        {
            if (words[i] is not ("+" or "-") || i + 1 == words.Count)
                throw NotATime(text);
            var sign = words[i] == "-" ? -1 : 1;
            if (Durations.TryParse(words[i + 1], out var duration))
            {
                terms.Add(new TimeTerm(null, sign * TimeGrid.ToMicros(duration)));
                i += 2;
            }
            else if (i + 2 < words.Count && UnitOf(words[i + 2]) is { } unitUs)
            {
                terms.Add(new TimeTerm(Unquote(words[i + 1]), sign * unitUs));
                i += 3;
            }
            else
            {
                throw NotATime(text);
            }
        }

        return new TimeExpression(Unquote(words[0]), terms, format);
    }

    private static List<string> Split(string text)
    {
        var words = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            var end = i + 1;
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            if (text[i] == '`')
                end = text.IndexOf('`', i + 1) is var close and > 0 ? close + 1 : throw NotATime(text);
            else if (text[i] is not ('+' or '-'))
                end = i + text.AsSpan(i).IndexOfAny(" \t+-") is var stop && stop >= i ? stop : text.Length;
            words.Add(text[i..end]);
            i = end;
        }

        return words;
    }

    private static string Unquote(string word) => word.Trim('`');

    private static long? UnitOf(string word)
    {
        foreach (var (names, us) in Units)
        {
            if (names.Contains(word, StringComparer.OrdinalIgnoreCase))
                return us;
        }

        return null;
    }

    private static FormatException NotATime(string text) => new(string.Create(CultureInfo.InvariantCulture,
        $"'{text}' is no time; write a column, and after it + or - a duration (30m) or a column with its unit: sched_dep + dep_delay minutes"));
}
