using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>A function of one value that is not null; false means that the result is null.</summary>
internal interface IUnaryLane
{
    static abstract bool TryApply(Utf8Arena arena, long a, out long result);
}

/// <summary>A function of two values that are not null; false means that the result is null.</summary>
internal interface IBinaryLane
{
    static abstract bool TryApply(Utf8Arena arena, long a, long b, out long result);
}

internal sealed class UnaryNode<TLane>(FieldType type, Node operand) : Node(type)
    where TLane : struct, IUnaryLane
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        var a = operand.Evaluate(context);
        for (var i = 0; i < context.Rows; i++)
        {
            if (a.Valid[i] != 0 && TLane.TryApply(context.Arena, a.Lanes[i], out var lane))
                into.Set(i, lane);
            else
                into.SetNull(i);
        }
    }
}

internal sealed class BinaryNode<TLane>(FieldType type, Node left, Node right) : Node(type)
    where TLane : struct, IBinaryLane
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        var a = left.Evaluate(context);
        var b = right.Evaluate(context);
        for (var i = 0; i < context.Rows; i++)
        {
            if ((a.Valid[i] & b.Valid[i]) != 0 && TLane.TryApply(context.Arena, a.Lanes[i], b.Lanes[i], out var lane))
                into.Set(i, lane);
            else
                into.SetNull(i);
        }
    }
}

/// <summary>Kleene's and/or: false and null is false, true or null is true.</summary>
internal sealed class LogicNode(bool isAnd, Node left, Node right) : Node(FieldType.Boolean)
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        var a = left.Evaluate(context);
        var b = right.Evaluate(context);
        for (var i = 0; i < context.Rows; i++)
        {
            // A null row has lane 0, so `lane` is 1 exactly where the operand is true, and valid without lane where it is false.
            long la = a.Lanes[i], lb = b.Lanes[i];
            int va = a.Valid[i], vb = b.Valid[i];
            var lane = isAnd ? la & lb : la | lb;
            var decided = isAnd ? (va & (int)(la ^ 1)) | (vb & (int)(lb ^ 1)) : (int)lane;
            into.Lanes[i] = lane;
            into.Valid[i] = (byte)((va & vb) | decided);
        }
    }
}

internal sealed class IsNullNode(Node operand, bool negated) : Node(FieldType.Boolean)
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        var a = operand.Evaluate(context);
        for (var i = 0; i < context.Rows; i++)
            into.Set(i, a.Valid[i] == 0 != negated ? 1L : 0L);
    }
}

/// <summary>The first of two that is not null.</summary>
internal sealed class CoalesceNode(FieldType type, Node first, Node second) : Node(type)
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        var a = first.Evaluate(context);
        var b = second.Evaluate(context);
        for (var i = 0; i < context.Rows; i++)
        {
            var from = a.Valid[i] != 0 ? a : b;
            into.Lanes[i] = from.Lanes[i];
            into.Valid[i] = from.Valid[i];
        }
    }
}

/// <summary>Where the condition is true the one, where it is false or null the other.</summary>
internal sealed class IfNode(FieldType type, Node condition, Node then, Node otherwise) : Node(type)
{
    public override void EvaluateInto(EvaluationContext context, EventColumn into)
    {
        var test = condition.Evaluate(context);
        var a = then.Evaluate(context);
        var b = otherwise.Evaluate(context);
        for (var i = 0; i < context.Rows; i++)
        {
            var from = test.Lanes[i] != 0 ? a : b;
            into.Lanes[i] = from.Lanes[i];
            into.Valid[i] = from.Valid[i];
        }
    }
}
