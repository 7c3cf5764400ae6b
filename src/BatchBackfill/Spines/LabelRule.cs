using StreamMl.FeatureEngine.Expressions;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.BatchBackfill.Spines;

/// <summary>
/// A label that another source knows: <c>[name:] expression from source on field[ = spine_column]</c>, such as
/// <c>late: arr_delay &gt; 15 from landings on flight_id</c>. The label of a row is the expression over the last event (in the order of arrival)
/// whose field equals the row's column. Rows without such an event, or where the expression is null, have no label.
/// </summary>
public sealed record LabelRule(string Name, string Expression, string Source, string Field, string SpineColumn)
{
    public const string DefaultName = "label";

    /// <exception cref="BackfillException">Not of that form.</exception>
    public static LabelRule Parse(string text)
    {
        var on = text.LastIndexOf(" on ", StringComparison.Ordinal);
        var from = on < 0 ? -1 : text.LastIndexOf(" from ", on, StringComparison.Ordinal);
        if (from < 0)
            throw new BackfillException($"--label \"{text}\": write it as \"[name:] expression from source on field[ = spine_column]\", for example \"late: arr_delay > 15 from landings on flight_id\"");
        var expression = text[..from].Trim();
        var name = DefaultName;
        var colon = expression.IndexOf(':');
        if (colon > 0 && expression[..colon].Trim().All(c => char.IsLetterOrDigit(c) || c == '_'))
            (name, expression) = (expression[..colon].Trim(), expression[(colon + 1)..].Trim());
        var join = text[(on + 4)..].Split('=', StringSplitOptions.TrimEntries);
        return new LabelRule(name, expression, text[(from + 6)..on].Trim(), join[0], join[^1]);
    }

    /// <summary>Compiles the expression over the source's fields.</summary>
    /// <exception cref="BackfillException">It does not fit the source.</exception>
    internal CompiledExpression Compile(SourceDefinition source)
    {
        if (source.Schema.IndexOf(Field) < 0)
            throw new BackfillException($"--label: source '{source.Name}' has no field '{Field}' to join on; it has {string.Join(", ", source.Schema.Fields.Select(f => f.Name))}");
        try
        {
            var compiled = CompiledExpression.Compile(Expression, source.Schema);
            return compiled.Type != FieldType.String
                ? compiled
                : throw new BackfillException($"--label: '{Expression}' is a text; a label is a boolean, a number or a time");
        }
        catch (ExpressionException e)
        {
            throw new BackfillException($"--label: {e.Message}");
        }
    }
}
