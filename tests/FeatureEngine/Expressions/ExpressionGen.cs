using CsCheck;
using StreamMl.Shared.Definitions.Expressions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Tests.Expressions;

/// <summary>Well-typed expressions over two fields of each type, and rows with the values that break things.</summary>
internal static class ExpressionGen
{
    public static EventSchema Schema { get; } = new("test.Row",
    [
        new("i", FieldType.Int64, true), new("j", FieldType.Int64, true), new("x", FieldType.Float64, true), new("y", FieldType.Float64, true),
        new("s", FieldType.String, true), new("t", FieldType.String, true), new("b", FieldType.Boolean, true), new("c", FieldType.Boolean, true),
        new("ts", FieldType.Timestamp, true), new("tu", FieldType.Timestamp, true),
    ]);

    private static readonly Gen<long> Longs = Gen.OneOf(Gen.OneOf(0L, 1, -1, 15, 60, long.MaxValue, long.MinValue, long.MinValue + 1), Gen.Long[-100, 100], Gen.Long);
    private static readonly Gen<double> Doubles = Gen.OneOf(Gen.OneOf(0.0, -0.0, 1, -1, 0.5, -2.5, 1e300, double.MaxValue, double.Epsilon), Gen.Double[-100, 100]);
    private static readonly Gen<double> AnyDoubles = Gen.OneOf(Doubles, Gen.OneOf(double.NaN, double.PositiveInfinity, double.NegativeInfinity));
    private static readonly Gen<string> Texts = Gen.OneOf("", "JFK", "jfk", "JF", "O'Hare", "Zürich", "ÉTÉ", "日本", "😀x", "a b");
    private static readonly Gen<DateTime> Times = Gen.Long[-4_000_000_000_000_000, 4_000_000_000_000_000].Select(Shared.Time.TimeGrid.ToDateTime);

    public static Gen<Dictionary<string, object?>> Row { get; } = Gen.Select(
        Gen.Select(Maybe(Longs), Maybe(Longs)), Gen.Select(Maybe(AnyDoubles), Maybe(AnyDoubles)), Gen.Select(Maybe(Texts), Maybe(Texts)),
        Gen.Select(Maybe(Gen.Bool), Maybe(Gen.Bool)), Gen.Select(Maybe(Times), Maybe(Times)),
        (i, x, s, b, ts) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["i"] = i.Item1,
            ["j"] = i.Item2,
            ["x"] = x.Item1,
            ["y"] = x.Item2,
            ["s"] = s.Item1,
            ["t"] = s.Item2,
            ["b"] = b.Item1,
            ["c"] = b.Item2,
            ["ts"] = ts.Item1,
            ["tu"] = ts.Item2,
        });

    public static Gen<Expression> Any { get; } = Gen.OneOf(FieldType.Boolean, FieldType.Int64, FieldType.Float64, FieldType.String, FieldType.Timestamp)
        .SelectMany(type => Of(type, 4), (_, e) => e);

    public static Gen<Expression> Of(FieldType type, int depth)
    {
        var leaf = Leaf(type);
        if (depth == 0)
            return leaf;
        return Gen.Int[0, 9].SelectMany<int, Expression>(choice => choice < 2 ? leaf : choice switch
        {
            2 => Gen.Select(Of(FieldType.Boolean, depth - 1), Of(type, depth - 1), OrNull(type, depth - 1), (c, a, b) => (Expression)Call("if", c, a, b)),
            3 => Gen.Select(Of(type, depth - 1), OrNull(type, depth - 1), (a, b) => (Expression)Call("coalesce", b, a)),
            _ => Operation(type, depth - 1),
        });
    }

    private static Gen<object?> Maybe<T>(Gen<T> gen) => Gen.Frequency((1, Gen.Const((object?)null)), (4, gen.Select(v => (object?)v)));

    private static Gen<Expression> OrNull(FieldType type, int depth) => Gen.Frequency((1, Gen.Const((Expression)new Literal(0, null))), (5, Of(type, depth)));

    private static Call Call(string name, params Expression[] arguments) => new(0, name, arguments);

    private static Gen<Expression> Leaf(FieldType type) => type switch
    {
        FieldType.Boolean => Gen.OneOf(Field("b", "c"), Gen.Bool.Select(v => Constant(v))),
        FieldType.Int64 => Gen.OneOf(Field("i", "j"), Longs.Select(v => Constant(v))),
        FieldType.Float64 => Gen.OneOf(Field("x", "y"), Doubles.Select(v => Constant(v))),
        FieldType.String => Gen.OneOf(Field("s", "t"), Texts.Select(v => Constant(v))),
        _ => Field("ts", "tu"),
    };

    private static Gen<Expression> Field(params string[] names) => Gen.OneOf(names).Select(n => (Expression)new FieldReference(0, n));

    private static Expression Constant(object value) => new Literal(0, value);

    private static Gen<Expression> Operation(FieldType type, int depth) => type switch
    {
        FieldType.Boolean => Gen.OneOf(Comparison(depth), Logic(depth), Test(depth)),
        FieldType.Int64 => Gen.OneOf(
            Arithmetic(FieldType.Int64, FieldType.Int64, depth, BinaryOperator.Add, BinaryOperator.Subtract, BinaryOperator.Multiply, BinaryOperator.Remainder),
            Numeric(FieldType.Int64, depth),
            Of(FieldType.String, depth).Select(s => (Expression)Call("length", s)),
            Gen.Select(Gen.OneOf("hour_of", "minute_of", "day_of_week"), Of(FieldType.Timestamp, depth), (f, t) => (Expression)Call(f, t))),
        FieldType.Float64 => Gen.OneOf(
            Arithmetic(FieldType.Float64, FieldType.Float64, depth, BinaryOperator.Add, BinaryOperator.Subtract, BinaryOperator.Multiply, BinaryOperator.Divide, BinaryOperator.Remainder),
            Arithmetic(FieldType.Float64, FieldType.Int64, depth, BinaryOperator.Add, BinaryOperator.Multiply, BinaryOperator.Divide),
            Arithmetic(FieldType.Int64, FieldType.Int64, depth, BinaryOperator.Divide),
            Arithmetic(FieldType.Timestamp, FieldType.Timestamp, depth, BinaryOperator.Subtract),
            Numeric(FieldType.Float64, depth),
            Gen.Select(Gen.OneOf("log", "exp", "sqrt"), Of(FieldType.Float64, depth), (f, a) => (Expression)Call(f, a))),
        FieldType.String => Gen.OneOf(
            Gen.Select(Gen.OneOf("lower", "upper"), Of(FieldType.String, depth), (f, a) => (Expression)Call(f, a)),
            Gen.Select(Gen.OneOf("concat", "min", "max"), Of(FieldType.String, depth), Of(FieldType.String, depth), (f, a, b) => (Expression)Call(f, a, b))),
        _ => Gen.Select(Gen.OneOf("min", "max"), Of(FieldType.Timestamp, depth), Of(FieldType.Timestamp, depth), (f, a, b) => (Expression)Call(f, a, b)),
    };

    private static Gen<Expression> Arithmetic(FieldType left, FieldType right, int depth, params BinaryOperator[] operators) =>
        Gen.Select(Gen.OneOf(operators), Of(left, depth), Of(right, depth), (op, a, b) => (Expression)new Binary(0, op, a, b));

    private static Gen<Expression> Numeric(FieldType type, int depth) => Gen.Select(Gen.Int[0, 6], Of(type, depth), Of(type, depth), (f, a, b) => f switch
    {
        // A minus before a literal is parsed into it, so it is not made here.
        0 when a is not Literal => (Expression)new Unary(0, UnaryOperator.Negate, a),
        1 => Call("floor", a),
        2 => Call("ceil", a),
        3 => Call("round", a),
        4 => Call("min", a, b, a),
        5 => Call("max", b, a),
        _ => Call("abs", a),
    });

    private static Gen<Expression> Comparison(int depth) => Gen.OneOf(FieldType.Int64, FieldType.Float64, FieldType.String, FieldType.Timestamp).SelectMany(type =>
        Gen.Select(Gen.Int[0, 9], Of(type, depth), Of(type, depth), Of(type == FieldType.Float64 ? FieldType.Int64 : type, depth), Gen.Bool, (f, a, b, c, negated) => f switch
        {
            0 or 1 => (Expression)new Between(0, a, b, c, negated),
            2 or 3 => new InList(0, a, [b, c], negated),
            _ => new Binary(0, (BinaryOperator)((int)BinaryOperator.Equal + f - 4), a, c),
        }));

    private static Gen<Expression> Logic(int depth) => Gen.Select(Gen.Int[0, 3], Of(FieldType.Boolean, depth), Of(FieldType.Boolean, depth), (f, a, b) => f switch
    {
        0 => new Binary(0, BinaryOperator.And, a, b),
        1 => new Binary(0, BinaryOperator.Or, a, b),
        2 => new Binary(0, BinaryOperator.NotEqual, a, b),
        _ => (Expression)new Unary(0, UnaryOperator.Not, a),
    });

    private static Gen<Expression> Test(int depth) => Gen.OneOf(
        Gen.Select(Gen.OneOf(FieldType.Boolean, FieldType.Float64, FieldType.String).SelectMany(t => Of(t, depth)), Gen.Bool, (a, negated) => (Expression)new IsNull(0, a, negated)),
        Gen.Select(Gen.OneOf("starts_with", "ends_with", "contains"), Of(FieldType.String, depth), Of(FieldType.String, depth), (f, a, b) => (Expression)Call(f, a, b)));
}
