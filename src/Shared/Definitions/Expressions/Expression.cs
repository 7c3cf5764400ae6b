namespace StreamMl.Shared.Definitions.Expressions;

/// <summary>A parsed expression: what was written, before types are known. <paramref name="Position"/> is its offset in the text, from 0. Immutable.</summary>
public abstract record Expression(int Position);

/// <summary>A constant. <paramref name="Value"/> is null, or a bool, long, double (finite) or string.</summary>
public sealed record Literal(int Position, object? Value) : Expression(Position);

public sealed record FieldReference(int Position, string Name) : Expression(Position);

public enum UnaryOperator
{
    Not,
    Negate,
}

public sealed record Unary(int Position, UnaryOperator Operator, Expression Operand) : Expression(Position);

public enum BinaryOperator
{
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// <summary><paramref name="Position"/> is the operator's.</summary>
public sealed record Binary(int Position, BinaryOperator Operator, Expression Left, Expression Right) : Expression(Position);

public sealed record IsNull(int Position, Expression Operand, bool Negated) : Expression(Position);

public sealed record InList(int Position, Expression Operand, IReadOnlyList<Expression> Items, bool Negated) : Expression(Position);

public sealed record Between(int Position, Expression Operand, Expression Low, Expression High, bool Negated) : Expression(Position);

public sealed record Call(int Position, string Function, IReadOnlyList<Expression> Arguments) : Expression(Position);

/// <summary>An expression that cannot be used: where (offset in its text, from 0), what was found, what would be right.</summary>
public sealed class ExpressionException(string text, int position, string problem, string remedy)
    : Exception($"{problem} (at position {position + 1} of `{text}`). {remedy}")
{
    public string Text { get; } = text;

    public int Position { get; } = position;

    /// <summary>What was found, without place or remedy.</summary>
    public string Problem { get; } = problem;

    public string Remedy { get; } = remedy;
}
