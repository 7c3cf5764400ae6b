using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>Until the expression language lands: a field's name alone.</summary>
public sealed class CompiledExpression
{
    private readonly string field;

    private CompiledExpression(string field, FieldType type)
    {
        this.field = field;
        Type = type;
        Fields = new HashSet<string>(StringComparer.Ordinal) { field };
    }

    public FieldType Type { get; }

    public IReadOnlySet<string> Fields { get; }

    public static CompiledExpression Compile(string text, EventSchema fields) => fields.Find(text) is { } field
        ? new CompiledExpression(text, field.Type)
        : throw new ArgumentException($"no field '{text}'", nameof(text));

    public void Evaluate(EventBatch batch, Func<string, EventColumn> columns, EventColumn into)
    {
        var from = columns(field);
        from.Lanes.AsSpan(0, batch.Count).CopyTo(into.Lanes);
        from.Valid.AsSpan(0, batch.Count).CopyTo(into.Valid);
    }
}
