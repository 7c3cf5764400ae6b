using System.Text;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>One evaluation of an expression over one batch.</summary>
internal sealed class EvaluationContext
{
    public EventBatch Batch { get; private set; } = null!;

    public Func<string, EventColumn> Columns { get; private set; } = null!;

    public int Rows => Batch.Count;

    public Utf8Arena Arena => Batch.Arena;

    /// <summary>Counts evaluations, so that a node used twice is computed once.</summary>
    public int Generation { get; private set; }

    public void Begin(EventBatch batch, Func<string, EventColumn> columns)
    {
        Batch = batch;
        Columns = columns;
        Generation++;
    }

    public static void Ensure(EventColumn column, int rows)
    {
        if (column.Lanes.Length < rows)
            column.Grow(Math.Max(rows, column.Lanes.Length * 2));
    }
}

/// <summary>A typed step of an expression. <see cref="Evaluate"/> gives a column that is valid until the next evaluation.</summary>
internal abstract class Node(FieldType type)
{
    private EventColumn? result;
    private EventColumn? scratch;
    private int generation;

    public FieldType Type { get; } = type;

    public EventColumn Evaluate(EvaluationContext context)
    {
        if (result is null || generation != context.Generation)
        {
            result = Compute(context);
            generation = context.Generation;
        }

        return result;
    }

    /// <summary>Computes all rows into a column that has room for them.</summary>
    public abstract void EvaluateInto(EvaluationContext context, EventColumn into);

    protected virtual EventColumn Compute(EvaluationContext context)
    {
        scratch ??= new EventColumn(Type, context.Rows);
        EvaluationContext.Ensure(scratch, context.Rows);
        EvaluateInto(context, scratch);
        return scratch;
    }
}

/// <summary>The literal null, which takes the type that its place wants.</summary>
internal sealed class NullNode(FieldType type) : Node(type)
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        into.Lanes.AsSpan(0, context.Rows).Clear();
        into.Valid.AsSpan(0, context.Rows).Clear();
    }
}

internal sealed class FieldNode(string name, FieldType type) : Node(type)
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into) => Copy(context.Columns(name), into, context.Rows);

    protected override EventColumn Compute(EvaluationContext context)
    {
        var column = context.Columns(name);
        return Type == FieldType.Float64 && HasNaN(column.Doubles[..context.Rows]) ? base.Compute(context) : column;
    }

    private void Copy(EventColumn from, EventColumn into, int rows)
    {
        from.Lanes.AsSpan(0, rows).CopyTo(into.Lanes);
        from.Valid.AsSpan(0, rows).CopyTo(into.Valid);
        if (Type != FieldType.Float64)
            return;
        var doubles = into.Doubles;
        for (var i = 0; i < rows; i++)
        {
            if (double.IsNaN(doubles[i]))
                into.SetNull(i);
        }
    }

    private static bool HasNaN(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            if (double.IsNaN(value))
                return true;
        }

        return false;
    }
}

/// <summary>A constant: filled once for as many rows as the largest batch had; a string is put into each batch's arena once.</summary>
internal sealed class ConstantNode(FieldType type, long lane, string? text = null) : Node(type)
{
    private readonly byte[]? utf8 = text is null ? null : Encoding.UTF8.GetBytes(text);
    private EventColumn? filled;
    private int filledRows;

    public long Lane { get; } = lane;

    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        into.Lanes.AsSpan(0, context.Rows).Fill(utf8 is null ? Lane : context.Arena.Append(utf8));
        into.Valid.AsSpan(0, context.Rows).Fill(1);
    }

    protected override EventColumn Compute(EvaluationContext context)
    {
        if (utf8 is not null)
            return base.Compute(context);
        filled ??= new EventColumn(Type, context.Rows);
        EvaluationContext.Ensure(filled, context.Rows);
        if (filledRows < context.Rows)
        {
            EvaluateInto(context, filled);
            filledRows = context.Rows;
        }

        return filled;
    }
}
