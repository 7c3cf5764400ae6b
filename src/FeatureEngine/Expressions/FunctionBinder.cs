using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>The functions of expressions, and how a call of each gets its type. All but coalesce and if are null where an argument is.</summary>
internal sealed class FunctionBinder(ExpressionBinder binder)
{
    /// <summary>Every function with its least and greatest number of arguments.</summary>
    public static IReadOnlyDictionary<string, (int Least, int Most)> Functions { get; } = new Dictionary<string, (int, int)>(StringComparer.Ordinal)
    {
        ["coalesce"] = (2, 64),
        ["if"] = (3, 3),
        ["abs"] = (1, 1),
        ["floor"] = (1, 1),
        ["ceil"] = (1, 1),
        ["round"] = (1, 1),
        ["log"] = (1, 1),
        ["exp"] = (1, 1),
        ["sqrt"] = (1, 1),
        ["min"] = (2, 64),
        ["max"] = (2, 64),
        ["lower"] = (1, 1),
        ["upper"] = (1, 1),
        ["length"] = (1, 1),
        ["starts_with"] = (2, 2),
        ["ends_with"] = (2, 2),
        ["contains"] = (2, 2),
        ["concat"] = (2, 64),
        ["hour_of"] = (1, 1),
        ["minute_of"] = (1, 1),
        ["day_of_week"] = (1, 1),
    };

    public Node Bind(Call call)
    {
        if (!Functions.TryGetValue(call.Function, out var arity))
            throw binder.Error(call, $"there is no function `{call.Function}`", Suggestion.Remedy(call.Function, Functions.Keys, "functions"));
        var count = call.Arguments.Count;
        if (count < arity.Least || count > arity.Most)
        {
            var wanted = arity.Least == arity.Most ? $"{arity.Least}" : $"{arity.Least} to {arity.Most}";
            throw binder.Error(call, $"{call.Function} takes {wanted} argument{(wanted == "1" ? "" : "s")} and has {count}", "Correct the arguments");
        }

        return call.Function switch
        {
            "coalesce" => BindCoalesce(call),
            "if" => BindIf(call),
            "min" or "max" => BindExtreme(call),
            "concat" => call.Arguments.Select(a => binder.BindAs(FieldType.String, a, "concat"))
                .Aggregate((a, b) => new BinaryNode<TextLanes.Concat>(FieldType.String, a, b)),
            "abs" => Number<NumberLanes.AbsInt, NumberLanes.Abs>(call),
            "floor" => Rounding<NumberLanes.Floor>(call),
            "ceil" => Rounding<NumberLanes.Ceiling>(call),
            "round" => Rounding<NumberLanes.Round>(call),
            "log" => Simple<NumberLanes.Log>(call, FieldType.Float64, FieldType.Float64),
            "exp" => Simple<NumberLanes.Exp>(call, FieldType.Float64, FieldType.Float64),
            "sqrt" => Simple<NumberLanes.SquareRoot>(call, FieldType.Float64, FieldType.Float64),
            "lower" => Simple<TextLanes.Lower>(call, FieldType.String, FieldType.String),
            "upper" => Simple<TextLanes.Upper>(call, FieldType.String, FieldType.String),
            "length" => Simple<TextLanes.Length>(call, FieldType.String, FieldType.Int64),
            "hour_of" => Simple<TextLanes.HourOf>(call, FieldType.Timestamp, FieldType.Int64),
            "minute_of" => Simple<TextLanes.MinuteOf>(call, FieldType.Timestamp, FieldType.Int64),
            "day_of_week" => Simple<TextLanes.DayOfWeek>(call, FieldType.Timestamp, FieldType.Int64),
            "starts_with" => Test<TextLanes.StartsWith>(call),
            "ends_with" => Test<TextLanes.EndsWith>(call),
            _ => Test<TextLanes.Contains>(call),
        };
    }

    private Node BindCoalesce(Call call)
    {
        var nodes = binder.BindAlike(call.Arguments, "coalesce", allowNull: true);
        return nodes.TrueForAll(n => n is NullNode) ? nodes[0] : nodes.Aggregate((a, b) => new CoalesceNode(b.Type, a, b));
    }

    private Node BindIf(Call call)
    {
        var condition = binder.BindAs(FieldType.Boolean, call.Arguments[0], "the condition of if");
        var nodes = binder.BindAlike([call.Arguments[1], call.Arguments[2]], "if", allowNull: true);
        return nodes.TrueForAll(n => n is NullNode) ? nodes[0] : new IfNode(nodes[0].Type, condition, nodes[0], nodes[1]);
    }

    private Node BindExtreme(Call call)
    {
        var nodes = binder.BindAlike(call.Arguments, call.Function, allowNull: false);
        return nodes[0].Type == FieldType.Boolean
            ? throw binder.Error(call, $"{call.Function} of Booleans has no meaning", "Use and, or")
            : nodes.Aggregate((a, b) => Comparisons.Extreme(call.Function == "min", a, b));
    }

    private Node Simple<TLane>(Call call, FieldType takes, FieldType gives)
        where TLane : struct, IUnaryLane => new UnaryNode<TLane>(gives, binder.BindAs(takes, call.Arguments[0], call.Function));

    private Node Test<TLane>(Call call)
        where TLane : struct, IBinaryLane => new BinaryNode<TLane>(
            FieldType.Boolean,
            binder.BindAs(FieldType.String, call.Arguments[0], call.Function),
            binder.BindAs(FieldType.String, call.Arguments[1], call.Function));

    private Node Number<TInt, TFloat>(Call call)
        where TInt : struct, IUnaryLane
        where TFloat : struct, IUnaryLane
    {
        var operand = binder.BindNumber(call.Arguments[0], call.Function);
        return operand.Type == FieldType.Int64 ? new UnaryNode<TInt>(FieldType.Int64, operand) : new UnaryNode<TFloat>(FieldType.Float64, operand);
    }

    // An integer is its own floor; a float stays a float, since it may be beyond the integers.
    private Node Rounding<TFloat>(Call call)
        where TFloat : struct, IUnaryLane
    {
        var operand = binder.BindNumber(call.Arguments[0], call.Function);
        return operand.Type == FieldType.Int64 ? operand : new UnaryNode<TFloat>(FieldType.Float64, operand);
    }
}
