using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>
/// An expression with its types resolved against the fields of a schema, evaluated a column at a time. Owns its scratch columns, so that
/// the steady state allocates nothing; not thread-safe: one per worker. The semantics (nulls, overflow, NaN) are in docs/catalog.md.
/// </summary>
public sealed class CompiledExpression
{
    private readonly Node root;
    private readonly EvaluationContext context = new();

    private CompiledExpression(string text, Node root, IReadOnlySet<string> fields)
    {
        Text = text;
        this.root = root;
        Fields = fields;
    }

    /// <summary>The canonical text.</summary>
    public string Text { get; }

    public FieldType Type => root.Type;

    /// <summary>The fields that it reads.</summary>
    public IReadOnlySet<string> Fields { get; }

    /// <exception cref="ExpressionException">The text is no expression, names an unknown field or function, or its types do not fit.</exception>
    public static CompiledExpression Compile(string text, EventSchema fields)
    {
        var parsed = ExpressionText.Parse(text);
        var used = new HashSet<string>(StringComparer.Ordinal);
        var node = new ExpressionBinder(text, fields, used).Bind(parsed);
        if (node is NullNode)
            throw new ExpressionException(text, parsed.Position, "the expression is always null and so has no type", "Give it one, such as coalesce(null, 0)");
        return new CompiledExpression(ExpressionText.Print(parsed), node, used);
    }

    /// <summary>
    /// Evaluates all rows of the batch into <paramref name="into"/> (of <see cref="Type"/>; grown where it is too small). Null rows have
    /// lane 0. Strings that are computed are appended to the batch's arena.
    /// </summary>
    /// <param name="batch">The rows.</param>
    /// <param name="columns">The column of each of <see cref="Fields"/>: the batch's own, or one derived before.</param>
    /// <param name="into">The result.</param>
    public void Evaluate(EventBatch batch, Func<string, EventColumn> columns, EventColumn into)
    {
        if (into.Type != Type)
            throw new ArgumentException($"the expression `{Text}` gives {Type}, and the column to fill is {into.Type}", nameof(into));
        context.Begin(batch, columns);
        EvaluationContext.Ensure(into, batch.Count);
        root.EvaluateInto(context, into);
    }
}
