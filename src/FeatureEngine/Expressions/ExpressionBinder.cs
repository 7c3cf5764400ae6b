using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Expressions;

/// <summary>Gives every step of an expression its type and its node. Integers become floats where a float is beside them; nothing else converts.</summary>
internal sealed class ExpressionBinder(string text, EventSchema schema, HashSet<string> used)
{
    private readonly Dictionary<string, Node> fields = new(StringComparer.Ordinal);

    public Node Bind(Expression expression) => expression switch
    {
        Literal literal => BindLiteral(literal.Value),
        FieldReference field => BindField(field),
        Unary { Operator: UnaryOperator.Not } not => new UnaryNode<NumberLanes.Not>(FieldType.Boolean, BindAs(FieldType.Boolean, not.Operand, "not")),
        Unary minus => BindNegate(minus),
        Binary binary => BindBinary(binary),
        IsNull test => new IsNullNode(Bind(test.Operand), test.Negated),
        InList list => BindIn(list),
        Between between => BindBetween(between),
        Call call => new FunctionBinder(this).Bind(call),
        _ => throw new ArgumentException($"no rule for {expression.GetType().Name}", nameof(expression)),
    };

    /// <summary>Binds an operand that has a value: the literal null would make all of it null.</summary>
    public Node BindValue(Expression expression, string user)
    {
        var node = Bind(expression);
        return node is NullNode
            ? throw Error(expression, $"{user} with null is always null", "Write `x is null` to test for null, or coalesce(x, 0) to replace it")
            : node;
    }

    public Node BindAs(FieldType type, Expression expression, string user)
    {
        var node = BindValue(expression, user);
        if (node.Type == type)
            return node;
        return node.Type == FieldType.Int64 && type == FieldType.Float64
            ? ToFloat(node)
            : throw Error(expression, $"{user} takes a {type}, and {Show(expression)} is a {node.Type}", RemedyFor(type, node.Type, expression));
    }

    /// <summary>Binds operands to the one type that holds them all.</summary>
    public List<Node> BindAlike(IReadOnlyList<Expression> expressions, string user, bool allowNull)
    {
        var nodes = expressions.Select(e => allowNull ? Bind(e) : BindValue(e, user)).ToList();
        var first = nodes.FindIndex(n => n is not NullNode);
        if (first < 0)
            return nodes;
        var type = nodes[first].Type;
        for (var i = first + 1; i < nodes.Count; i++)
        {
            if (nodes[i] is NullNode || nodes[i].Type == type)
                continue;
            if (!IsNumber(type) || !IsNumber(nodes[i].Type))
                throw Error(expressions[i], $"{user} takes values of one type, and {Show(expressions[first])} is a {type}, {Show(expressions[i])} a {nodes[i].Type}", "Make both the same type");
            type = FieldType.Float64;
        }

        return [.. nodes.Select(n => n is NullNode ? new NullNode(type) : n.Type == type ? n : ToFloat(n))];
    }

    public ExpressionException Error(Expression at, string problem, string remedy) => new(text, at.Position, problem, remedy);

    public static bool IsNumber(FieldType type) => type is FieldType.Int64 or FieldType.Float64;

    public static string Show(Expression expression) => $"`{ExpressionText.Print(expression)}`";

    private static string RemedyFor(FieldType type, FieldType found, Expression expression) => type switch
    {
        FieldType.Boolean => $"Compare it with something: {Comparison(found, expression)}",
        FieldType.String => "Use a string field or a 'literal'",
        FieldType.Timestamp => "Use a timestamp field",
        _ => "Use a number, or if(condition, 1, 0)",
    };

    /// <summary>A comparison that would make a Boolean of an expression, to show in a remedy.</summary>
    public static string Comparison(FieldType type, Expression expression) => type switch
    {
        FieldType.String => $"{ExpressionText.Print(expression)} = 'value'",
        FieldType.Timestamp => $"hour_of({ExpressionText.Print(expression)}) < 12",
        _ => $"{ExpressionText.Print(expression)} > 0",
    };

    private static Node ToFloat(Node node) => node is ConstantNode constant
        ? new ConstantNode(FieldType.Float64, BitConverter.DoubleToInt64Bits(constant.Lane))
        : new UnaryNode<NumberLanes.ToFloat>(FieldType.Float64, node);

    private static Node BindLiteral(object? value) => value switch
    {
        bool flag => new ConstantNode(FieldType.Boolean, flag ? 1 : 0),
        long whole => new ConstantNode(FieldType.Int64, whole),
        double real => new ConstantNode(FieldType.Float64, BitConverter.DoubleToInt64Bits(real)),
        string text => new ConstantNode(FieldType.String, 0, text),
        _ => new NullNode(FieldType.Int64),
    };

    private Node BindField(FieldReference field)
    {
        if (schema.Find(field.Name) is not { } found)
            throw Error(field, $"there is no field `{field.Name}`", Suggestion.Remedy(field.Name, schema.Fields.Select(f => f.Name), "fields"));
        used.Add(found.Name);
        if (!fields.TryGetValue(found.Name, out var node))
            fields[found.Name] = node = new FieldNode(found.Name, found.Type);
        return node;
    }

    private Node BindNegate(Unary minus)
    {
        var operand = BindNumber(minus.Operand, "the minus sign");
        return operand.Type == FieldType.Int64
            ? new UnaryNode<NumberLanes.NegateInt>(FieldType.Int64, operand)
            : new UnaryNode<NumberLanes.Negate>(FieldType.Float64, operand);
    }

    /// <summary>Binds an Int64 or a Float64.</summary>
    public Node BindNumber(Expression expression, string user)
    {
        var node = BindValue(expression, user);
        return IsNumber(node.Type)
            ? node
            : throw Error(expression, $"{user} takes numbers, and {Show(expression)} is a {node.Type}", node.Type == FieldType.Boolean
                ? $"Write if({ExpressionText.Print(expression)}, 1, 0)"
                : "Use a number");
    }

    private Node BindBinary(Binary binary)
    {
        if (binary.Operator is BinaryOperator.And or BinaryOperator.Or)
        {
            var word = binary.Operator == BinaryOperator.And ? "and" : "or";
            return new LogicNode(binary.Operator == BinaryOperator.And, BindAs(FieldType.Boolean, binary.Left, word), BindAs(FieldType.Boolean, binary.Right, word));
        }

        if (binary.Operator < BinaryOperator.Add)
        {
            var sides = BindAlike([binary.Left, binary.Right], "a comparison", allowNull: false);
            return Compare(binary.Operator, sides[0], sides[1], binary.Left);
        }

        return BindArithmetic(binary);
    }

    private Node Compare(BinaryOperator op, Node left, Node right, Expression at) =>
        left.Type == FieldType.Boolean && op is not (BinaryOperator.Equal or BinaryOperator.NotEqual)
            ? throw Error(at, $"{Show(at)} is a Boolean, and Booleans have no order", "Use = or !=, and, or, not")
            : Comparisons.Of(op, left, right);

    private Node BindArithmetic(Binary binary)
    {
        if (binary.Operator == BinaryOperator.Subtract && BindValue(binary.Left, "-") is { Type: FieldType.Timestamp } time)
            return new BinaryNode<NumberLanes.SecondsBetween>(FieldType.Float64, time, BindAs(FieldType.Timestamp, binary.Right, "a timestamp minus"));
        const string User = "arithmetic";
        Node left = BindNumber(binary.Left, User), right = BindNumber(binary.Right, User);
        if (left.Type == FieldType.Int64 && right.Type == FieldType.Int64 && binary.Operator != BinaryOperator.Divide)
        {
            return binary.Operator switch
            {
                BinaryOperator.Add => new BinaryNode<NumberLanes.AddInt>(FieldType.Int64, left, right),
                BinaryOperator.Subtract => new BinaryNode<NumberLanes.SubtractInt>(FieldType.Int64, left, right),
                BinaryOperator.Multiply => new BinaryNode<NumberLanes.MultiplyInt>(FieldType.Int64, left, right),
                _ => new BinaryNode<NumberLanes.RemainderInt>(FieldType.Int64, left, right),
            };
        }

        left = left.Type == FieldType.Int64 ? ToFloat(left) : left;
        right = right.Type == FieldType.Int64 ? ToFloat(right) : right;
        return binary.Operator switch
        {
            BinaryOperator.Add => new BinaryNode<NumberLanes.Add>(FieldType.Float64, left, right),
            BinaryOperator.Subtract => new BinaryNode<NumberLanes.Subtract>(FieldType.Float64, left, right),
            BinaryOperator.Multiply => new BinaryNode<NumberLanes.Multiply>(FieldType.Float64, left, right),
            BinaryOperator.Divide => new BinaryNode<NumberLanes.Divide>(FieldType.Float64, left, right),
            _ => new BinaryNode<NumberLanes.Remainder>(FieldType.Float64, left, right),
        };
    }

    // x in (a, b) is x = a or x = b, with the nulls that follow from it.
    private Node BindIn(InList list)
    {
        var nodes = BindAlike([list.Operand, .. list.Items], "in", allowNull: false);
        var any = nodes.Skip(1).Select(item => Comparisons.Of(BinaryOperator.Equal, nodes[0], item)).Aggregate((a, b) => new LogicNode(false, a, b));
        return Negated(any, list.Negated);
    }

    // x between a and b is x >= a and x <= b, with the nulls that follow from it.
    private Node BindBetween(Between between)
    {
        var nodes = BindAlike([between.Operand, between.Low, between.High], "between", allowNull: false);
        var low = Compare(BinaryOperator.GreaterOrEqual, nodes[0], nodes[1], between.Operand);
        return Negated(new LogicNode(true, low, Compare(BinaryOperator.LessOrEqual, nodes[0], nodes[2], between.Operand)), between.Negated);
    }

    private static Node Negated(Node node, bool negated) => negated ? new UnaryNode<NumberLanes.Not>(FieldType.Boolean, node) : node;
}
