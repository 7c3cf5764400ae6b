using System.Globalization;

namespace StreamMl.Shared.Definitions.Expressions;

/// <summary>
/// Text to expression and back. <see cref="Print(Expression)"/> gives the one canonical text: single spaces, lower-case keywords and functions, no
/// parenthesis that is not needed, so that definitions that differ only in style have one hash. Pure; thread-safe.
/// </summary>
public static class ExpressionText
{
    /// <summary>Longest text that is parsed, in characters.</summary>
    public const int MaxLength = 4096;

    /// <exception cref="ExpressionException">The text is no expression; it says where and why.</exception>
    public static Expression Parse(string text) => ExpressionParser.Parse(text);

    /// <summary>The canonical text of an expression's text: <c>arr_delay&gt;15</c> is <c>arr_delay &gt; 15</c>. Idempotent.</summary>
    /// <exception cref="ExpressionException">The text is no expression.</exception>
    public static string Canonical(string text) => Print(Parse(text));

    public static string Print(Expression expression) => Print(expression, 0);

    private static string Print(Expression expression, int least)
    {
        var (text, precedence) = expression switch
        {
            Literal literal => (PrintLiteral(literal.Value), Precedence.Primary),
            FieldReference field => (PrintName(field.Name), Precedence.Primary),
            Call call => ($"{call.Function}({PrintList(call.Arguments)})", Precedence.Primary),
            Unary { Operator: UnaryOperator.Not } not => ($"not {Print(not.Operand, Precedence.Not)}", Precedence.Not),
            Unary { Operand: Literal { Value: long or double } } minus => ($"-({Print(minus.Operand)})", Precedence.Unary),
            Unary minus => ($"-{Print(minus.Operand, Precedence.Primary)}", Precedence.Unary),
            IsNull test => ($"{Print(test.Operand, Precedence.Sum)} is {(test.Negated ? "not " : "")}null", Precedence.Predicate),
            InList list => ($"{Print(list.Operand, Precedence.Sum)} {(list.Negated ? "not " : "")}in ({PrintList(list.Items)})", Precedence.Predicate),
            Between b => ($"{Print(b.Operand, Precedence.Sum)} {(b.Negated ? "not " : "")}between {Print(b.Low, Precedence.Sum)} and {Print(b.High, Precedence.Sum)}", Precedence.Predicate),
            Binary binary => PrintBinary(binary),
            _ => throw new ArgumentException($"no text for {expression.GetType().Name}", nameof(expression)),
        };
        return precedence < least ? $"({text})" : text;
    }

    private static (string Text, int Precedence) PrintBinary(Binary binary)
    {
        var (symbol, precedence) = binary.Operator switch
        {
            BinaryOperator.Or => ("or", Precedence.Or),
            BinaryOperator.And => ("and", Precedence.And),
            BinaryOperator.Add => ("+", Precedence.Sum),
            BinaryOperator.Subtract => ("-", Precedence.Sum),
            BinaryOperator.Multiply => ("*", Precedence.Product),
            BinaryOperator.Divide => ("/", Precedence.Product),
            BinaryOperator.Remainder => ("%", Precedence.Product),
            _ => (ComparisonSymbol(binary.Operator), Precedence.Predicate),
        };
        // Comparisons do not chain, so both sides of one bind tighter; all else leans to the left.
        var left = precedence == Precedence.Predicate ? Precedence.Sum : precedence;
        return ($"{Print(binary.Left, left)} {symbol} {Print(binary.Right, precedence + 1)}", precedence);
    }

    private static string ComparisonSymbol(BinaryOperator op) => op switch
    {
        BinaryOperator.Equal => "=",
        BinaryOperator.NotEqual => "!=",
        BinaryOperator.Less => "<",
        BinaryOperator.LessOrEqual => "<=",
        BinaryOperator.Greater => ">",
        _ => ">=",
    };

    private static string PrintList(IEnumerable<Expression> items) => string.Join(", ", items.Select(i => Print(i, 0)));

    private static string PrintName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !ExpressionParser.IsKeyword(name)
            ? name
            : $"`{name.Replace("`", "``")}`";

    private static string PrintLiteral(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        long whole => whole.ToString(CultureInfo.InvariantCulture),
        double real => PrintDouble(real),
        string text => $"'{text.Replace("'", "''")}'",
        _ => throw new ArgumentException($"no literal of type {value.GetType().Name}", nameof(value)),
    };

    private static string PrintDouble(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture).Replace("E+", "e").Replace('E', 'e');
        return text.AsSpan().IndexOfAny('.', 'e') < 0 ? text + ".0" : text;
    }

    private static class Precedence
    {
        public const int Or = 1;
        public const int And = 2;
        public const int Not = 3;
        public const int Predicate = 4;
        public const int Sum = 5;
        public const int Product = 6;
        public const int Unary = 7;
        public const int Primary = 8;
    }
}
