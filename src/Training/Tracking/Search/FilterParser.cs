using System.Globalization;
using System.Text;

namespace StreamMl.Training.Tracking.Search;

/// <summary>
/// Reads MLflow's search grammar: <c>field operator value (AND field operator value)*</c>. Keys with other characters stand in backticks or double
/// quotes; text values in single or double quotes. Pure.
/// </summary>
internal static class FilterParser
{
    private const int MaxLength = 10_000;
    private static readonly string[] Comparators = [">=", "<=", "!=", "=", ">", "<"];
    /// <summary>MLflow's name of a registered version's number, by which clients order versions.</summary>
    public const string VersionNumber = "version_number";

    private static readonly string[] Attributes = ["run_id", "run_name", "status", "user_id", "start_time", "end_time", "artifact_uri"];

    public static IReadOnlyList<RunCondition> Conditions(string filter)
    {
        if (filter.Length > MaxLength)
            throw new TrackingException($"the filter has {filter.Length} characters; at most {MaxLength} are read");
        var tokens = new Tokens(filter);
        var conditions = new List<RunCondition>();
        while (!tokens.AtEnd)
        {
            if (conditions.Count > 0 && !tokens.TakeWord("AND"))
                throw Wrong(filter, tokens, "AND, which is all that can join conditions");
            conditions.Add(Condition(filter, tokens));
        }

        return conditions;
    }

    public static RunOrder Order(string text)
    {
        var tokens = new Tokens(text);
        var field = Field(text, tokens);
        var descending = tokens.TakeWord("DESC");
        if (!descending)
            tokens.TakeWord("ASC");
        return tokens.AtEnd ? new RunOrder(field, descending) : throw Wrong(text, tokens, "ASC, DESC or nothing");
    }

    private static RunCondition Condition(string filter, Tokens tokens)
    {
        var field = Field(filter, tokens);
        if (tokens.TakeWord("IS"))
        {
            var negated = tokens.TakeWord("NOT");
            return tokens.TakeWord("NULL") ? new RunCondition(field, negated ? "IS NOT NULL" : "IS NULL", []) : throw Wrong(filter, tokens, "NULL");
        }

        var not = tokens.TakeWord("NOT");
        if (tokens.TakeWord("IN"))
            return new RunCondition(field, not ? "NOT IN" : "IN", List(filter, tokens));
        if (not)
            throw Wrong(filter, tokens, "IN");
        var comparator = tokens.TakeWord("LIKE") ? "LIKE" : tokens.TakeWord("ILIKE") ? "ILIKE" : Array.Find(Comparators, tokens.Take) ?? throw Wrong(filter, tokens, "an operator: =, !=, >, >=, <, <=, LIKE, ILIKE, IN");
        return new RunCondition(field, comparator, [Value(filter, tokens, field, comparator)]);
    }

    private static string Value(string filter, Tokens tokens, RunField field, string comparator)
    {
        if (field.IsNumeric)
        {
            var number = tokens.TakeQuoted() ?? tokens.TakePlain();
            return comparator is not ("LIKE" or "ILIKE") && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
                ? number
                : throw Wrong(filter, tokens, $"a number to compare {field.Key} with");
        }

        if (comparator is ">" or ">=" or "<" or "<=")
            throw new TrackingException($"'{comparator}' in '{filter}': {field.Kind.ToString().ToLowerInvariant()}s are text, which is compared with =, !=, LIKE, ILIKE or IN; only metrics and times are numbers");
        return tokens.TakeQuoted() ?? throw Wrong(filter, tokens, "a text in quotes");
    }

    private static List<string> List(string filter, Tokens tokens)
    {
        var values = new List<string>();
        if (!tokens.Take("("))
            throw Wrong(filter, tokens, "a list in parentheses");
        do
            values.Add(tokens.TakeQuoted() ?? throw Wrong(filter, tokens, "a text in quotes"));
        while (tokens.Take(","));
        return tokens.Take(")") ? values : throw Wrong(filter, tokens, "a closing parenthesis");
    }

    private static RunField Field(string filter, Tokens tokens)
    {
        var first = tokens.TakeName();
        if (first.Length == 0)
            throw Wrong(filter, tokens, "a field, as metrics.auc");
        if (!tokens.TakeDot())
            return Attribute(first);
        var key = tokens.TakeQuotedKey() ?? tokens.TakeKey();
        return first.ToLowerInvariant() switch
        {
            "metrics" or "metric" => new RunField(RunFieldKind.Metric, key),
            "params" or "param" or "parameters" or "parameter" => new RunField(RunFieldKind.Param, key),
            "tags" or "tag" => new RunField(RunFieldKind.Tag, key),
            "attributes" or "attribute" or "attr" or "run" => Attribute(key),
            _ => throw new TrackingException($"'{first}.{key}' is no field of a run; write metrics., params., tags. or attributes. before its name"),
        };
    }

    private static RunField Attribute(string name)
    {
        // Of a registered version, which is searched as a run: it sorts as a number, as parameters do.
        if (name.Equals(VersionNumber, StringComparison.OrdinalIgnoreCase))
            return new RunField(RunFieldKind.Param, VersionNumber);
        var key = name.ToLowerInvariant() switch
        {
            "run name" or "name" => "run_name",
            "created" or "creation_time" or "creation_timestamp" or "last_update_time" or "last_updated_timestamp" => "start_time",
            "experiment_id" => "run_id",
            "user" => "user_id",
            var other => other,
        };
        return Attributes.Contains(key) ? new RunField(RunFieldKind.Attribute, key) : throw new TrackingException($"'{name}' is no attribute of a run; it has {string.Join(", ", Attributes)}, and metrics., params. and tags. by name");
    }

    private static TrackingException Wrong(string filter, Tokens tokens, string wanted) =>
        new($"'{filter}' cannot be read at character {tokens.Position + 1}: expected {wanted}, found {(tokens.AtEnd ? "the end" : $"'{tokens.Rest}'")}");

    private sealed class Tokens(string text)
    {
        public int Position { get; private set; }

        public bool AtEnd
        {
            get
            {
                Skip();
                return Position == text.Length;
            }
        }

        public string Rest => text[Position..Math.Min(text.Length, Position + 20)];

        public bool Take(string token)
        {
            Skip();
            if (!text.AsSpan(Position).StartsWith(token))
                return false;
            Position += token.Length;
            return true;
        }

        public bool TakeWord(string word)
        {
            Skip();
            var end = Position + word.Length;
            if (!text.AsSpan(Position).StartsWith(word, StringComparison.OrdinalIgnoreCase) || (end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] == '_')))
                return false;
            Position = end;
            return true;
        }

        public bool TakeDot() => Position < text.Length && text[Position] == '.' && ++Position > 0;

        public string TakeName() => While(c => char.IsLetterOrDigit(c) || c is '_');

        public string TakeKey() => While(c => char.IsLetterOrDigit(c) || c is '_' or '.' or '-' or '/');

        public string TakePlain() => While(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '+');

        public string? TakeQuotedKey() => TakeBetween('`') ?? TakeBetween('"');

        public string? TakeQuoted() => TakeBetween('\'') ?? TakeBetween('"');

        private string? TakeBetween(char quote)
        {
            Skip();
            if (Position == text.Length || text[Position] != quote)
                return null;
            var found = new StringBuilder();
            for (var i = Position + 1; i < text.Length; i++)
            {
                if (text[i] != quote)
                {
                    found.Append(text[i]);
                }
                else if (i + 1 < text.Length && text[i + 1] == quote)
                {
                    // A doubled quote is one, as in SQL.
                    found.Append(quote);
                    i++;
                }
                else
                {
                    Position = i + 1;
                    return found.ToString();
                }
            }

            return null;
        }

        private string While(Func<char, bool> allowed)
        {
            Skip();
            var start = Position;
            while (Position < text.Length && allowed(text[Position]))
                Position++;
            return text[start..Position];
        }

        private void Skip()
        {
            while (Position < text.Length && char.IsWhiteSpace(text[Position]))
                Position++;
        }
    }
}
