using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamMl.Training.Tracking.Search;

/// <summary>What a condition or an order looks at.</summary>
public enum RunFieldKind
{
    Metric,
    Param,
    Tag,
    Attribute,
}

/// <summary>A field of a run: <c>metrics.auc</c>, <c>params.trees</c>, <c>tags.team</c>, <c>attributes.status</c>.</summary>
public sealed record RunField(RunFieldKind Kind, string Key)
{
    /// <summary>Its text in a run, or null.</summary>
    public string? Text(Run run) => Kind switch
    {
        RunFieldKind.Metric => run.Metrics.TryGetValue(Key, out var point) ? point.Value.ToString("R", CultureInfo.InvariantCulture) : null,
        RunFieldKind.Param => run.Record.Params.GetValueOrDefault(Key),
        RunFieldKind.Tag => RunTags.Of(run.Record).GetValueOrDefault(Key),
        _ => Attribute(run),
    };

    /// <summary>Its number in a run, or null.</summary>
    public double? Number(Run run) => Kind == RunFieldKind.Metric
        ? run.Metrics.TryGetValue(Key, out var point) ? point.Value : null
        : double.TryParse(Text(run), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    public bool IsNumeric => Kind == RunFieldKind.Metric || (Kind == RunFieldKind.Attribute && Key is "start_time" or "end_time");

    private string? Attribute(Run run) => Key switch
    {
        "run_id" => run.Record.Id,
        "run_name" => run.Record.Name,
        "status" => run.Record.Status.ToString().ToUpperInvariant(),
        "user_id" => run.Record.User,
        "start_time" => Ms(run.Record.StartedAt),
        "end_time" => Ms(run.Record.EndedAt),
        "artifact_uri" => run.ArtifactDirectory,
        _ => null,
    };

    private static string? Ms(DateTimeOffset? at) => at?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
}

/// <summary>One comparison of a filter.</summary>
/// <param name="Field">What is compared.</param>
/// <param name="Operator">=, !=, &gt;, &gt;=, &lt;, &lt;=, LIKE, ILIKE, IN, NOT IN, IS NULL or IS NOT NULL.</param>
/// <param name="Values">One value; several for IN; none for IS NULL.</param>
public sealed record RunCondition(RunField Field, string Operator, IReadOnlyList<string> Values)
{
    /// <summary>A run without the field fulfils nothing but IS NULL.</summary>
    public bool Holds(Run run)
    {
        var text = Field.Text(run);
        if (Operator is "IS NULL" or "IS NOT NULL")
            return text is null == (Operator == "IS NULL");
        if (text is null)
            return false;
        return Field.IsNumeric && Operator is not ("IN" or "NOT IN")
            ? Compare(Field.Number(run)!.Value, double.Parse(Values[0], CultureInfo.InvariantCulture))
            : Compare(text);
    }

    private bool Compare(double found, double value) => Operator switch
    {
        "=" => found.Equals(value),
        "!=" => !found.Equals(value),
        ">" => found > value,
        ">=" => found >= value,
        "<" => found < value,
        _ => found <= value,
    };

    private bool Compare(string text) => Operator switch
    {
        "=" => text == Values[0],
        "!=" => text != Values[0],
        "LIKE" => Like(text, Values[0], RegexOptions.None),
        "ILIKE" => Like(text, Values[0], RegexOptions.IgnoreCase),
        "IN" => Values.Contains(text, StringComparer.Ordinal),
        _ => !Values.Contains(text, StringComparer.Ordinal),
    };

    /// <summary>SQL's wildcards: % for any text, _ for one character.</summary>
    private static bool Like(string text, string pattern, RegexOptions options)
    {
        var form = Regex.Escape(pattern).Replace("%", ".*", StringComparison.Ordinal).Replace("_", ".", StringComparison.Ordinal);
        return Regex.IsMatch(text, $"^(?:{form})$", options | RegexOptions.Singleline | RegexOptions.NonBacktracking, TimeSpan.FromSeconds(1));
    }
}

/// <summary>An order: by a field, runs without it last, either way.</summary>
public sealed record RunOrder(RunField Field, bool Descending) : IComparer<Run>
{
    public int Compare(Run? x, Run? y)
    {
        var (first, second) = (Field.Text(x!), Field.Text(y!));
        if (first is null || second is null)
            return (first is null).CompareTo(second is null);
        // Parameters are text, but a tree count should sort as one.
        var order = Field.Number(x!) is { } a && Field.Number(y!) is { } b ? CompareNumbers(a, b) : string.CompareOrdinal(first, second);
        return Descending && !(double.IsNaN(Field.Number(x!) ?? 0) || double.IsNaN(Field.Number(y!) ?? 0)) ? -order : order;
    }

    /// <summary>NaN is last, whichever way.</summary>
    private static int CompareNumbers(double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? double.IsNaN(a).CompareTo(double.IsNaN(b)) : a.CompareTo(b);
}

/// <summary>A search over runs in MLflow's grammar: conditions joined by AND, and orders. Immutable; thread-safe.</summary>
public sealed record RunQuery(IReadOnlyList<RunCondition> Conditions, IReadOnlyList<RunOrder> Orders)
{
    /// <param name="filter">As <c>metrics.auc &gt; 0.7 and params.trees = '100'</c>; empty or null for all.</param>
    /// <param name="orderBy">As <c>metrics.auc DESC</c>.</param>
    /// <exception cref="TrackingException">Not of the grammar.</exception>
    public static RunQuery Parse(string? filter, IEnumerable<string>? orderBy = null) =>
        new(FilterParser.Conditions(filter ?? ""), [.. (orderBy ?? []).Select(FilterParser.Order)]);

    /// <summary>The runs that fulfil all conditions, in order; where nothing orders them, as they came.</summary>
    public IReadOnlyList<Run> Apply(IEnumerable<Run> runs)
    {
        var found = runs.Where(r => Conditions.All(c => c.Holds(r)));
        if (Orders.Count == 0)
            return [.. found];
        var ordered = found.OrderBy(r => r, Orders[0]);
        return [.. Orders.Skip(1).Aggregate(ordered, (sorted, order) => sorted.ThenBy(r => r, order))];
    }
}
