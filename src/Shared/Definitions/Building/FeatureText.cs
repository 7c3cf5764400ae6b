namespace StreamMl.Shared.Definitions.Building;

/// <summary>One entry of a view's features as parsed: <c>mean(arr_delay) over 1h, 24h as delay</c>.</summary>
/// <param name="Aggregation">Its column is * for all columns.</param>
/// <param name="Windows">Its own windows; none: the view's.</param>
/// <param name="Name">Its own name, or null.</param>
internal sealed record FeatureEntry(Aggregation Aggregation, IReadOnlyList<string> Windows, string? Name);

/// <summary>Reads <c>function [(column [, parameter])] [over window, ...] [as name]</c>. Pure.</summary>
internal static class FeatureText
{
    private const string Form = "Write it as `function(column) over 1h, 24h as name`; function alone for rows, `over` and `as` where wanted";

    /// <summary>Parses an entry, or says in <paramref name="problem"/> what is wrong and in <paramref name="remedy"/> what would be right.</summary>
    public static FeatureEntry? TryParse(string text, out string problem, out string remedy)
    {
        (problem, remedy) = ("", Form);
        var rest = text.Trim();
        var name = CutAfter(ref rest, " as ");
        var over = CutAfter(ref rest, " over ");
        if (name is { Length: 0 } || (name is not null && !IsName(name)))
            return Fail($"`{name}` is no name for a feature", "Use letters, digits and _, and start with a letter", out problem, out remedy);
        var windows = over?.Split(',', StringSplitOptions.TrimEntries) ?? [];
        if (windows.Any(w => w.Length == 0))
            return Fail($"`over` in `{text}` lacks a window", "Write windows such as 30m, 1h, 7d or lifetime, with commas between", out problem, out remedy);
        var aggregation = TryParseAggregation(rest, out problem);
        return aggregation is null ? null : new FeatureEntry(aggregation, windows, name);
    }

    /// <summary>Reads an aggregation alone; null with the problem where it is none.</summary>
    public static Aggregation? TryParseAggregation(string text, out string problem)
    {
        problem = $"`{text}` is no aggregation";
        var open = text.IndexOf('(', StringComparison.Ordinal);
        if (open < 0)
            return IsName(text) ? new Aggregation(text) : null;
        var function = text[..open].Trim();
        if (!IsName(function) || !text.EndsWith(')'))
            return null;
        var arguments = text[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
        if (arguments.Length > 2 || !(IsName(arguments[0]) || arguments[0] == "*"))
        {
            problem = $"`{text}` aggregates something that is no column";
            return null;
        }

        if (arguments.Length == 1)
            return new Aggregation(function, arguments[0]);
        problem = $"`{arguments[1]}` in `{text}` is no whole number";
        return int.TryParse(arguments[1], out var parameter) ? new Aggregation(function, arguments[0], parameter) : null;
    }

    public static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private static string? CutAfter(ref string text, string word)
    {
        var at = text.IndexOf(word, StringComparison.Ordinal);
        if (at < 0)
            return null;
        var after = text[(at + word.Length)..].Trim();
        text = text[..at].Trim();
        return after;
    }

    private static FeatureEntry? Fail(string what, string right, out string problem, out string remedy)
    {
        (problem, remedy) = (what, right);
        return null;
    }
}
