using StreamMl.FeatureEngine.Expressions;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Log;

namespace StreamMl.Monitoring.Quality;

/// <summary>Takes labels out of the events of their source. Not thread-safe.</summary>
internal sealed class LabelEvents
{
    private readonly CompiledExpression expression;
    private readonly EventColumn into;
    private readonly int[] key;
    private readonly Utf8Arena arena = new();

    /// <exception cref="ArgumentException">The source has no such field, or the label is a text.</exception>
    public LabelEvents(SourceDefinition source, QualityOptions options)
    {
        if (source.Schema.IndexOf(options.LabelField) < 0)
            throw new ArgumentException($"source '{source.Name}' has no field '{options.LabelField}' to join labels on; it has {string.Join(", ", source.Schema.Fields.Select(f => f.Name))}", nameof(options));
        expression = CompiledExpression.Compile(options.LabelExpression, source.Schema);
        if (expression.Type is FieldType.String or FieldType.Timestamp)
            throw new ArgumentException($"the label '{options.LabelExpression}' is a {expression.Type}; a label is a boolean or a number", nameof(options));
        Source = source;
        Schema = source.Schema.Project(expression.Fields.Append(options.LabelField).ToHashSet(StringComparer.Ordinal));
        into = new EventColumn(expression.Type, 1);
        key = [Schema.IndexOf(options.LabelField)];
    }

    public SourceDefinition Source { get; }

    /// <summary>The fields that are decoded.</summary>
    public EventSchema Schema { get; }

    public void Add(EventBatch rows, int row, RealisedQuality quality)
    {
        expression.Evaluate(rows, rows.Column, into);
        arena.Clear();
        var lane = EntityKey.Append(arena, rows, key, row);
        if (lane < 0 || into.Valid[0] == 0)
            return;
        quality.AddLabel(arena.Slice(lane), expression.Type == FieldType.Float64 ? into.Doubles[0] : into.Lanes[0]);
    }
}
