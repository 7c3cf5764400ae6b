namespace StreamMl.Shared.Definitions.Expressions;

/// <summary>
/// Recursive descent over the tokens. From the loosest to the tightest: or; and; not; comparison, is null, in, between (which do not
/// chain); + -; * / %; unary minus. One use.
/// </summary>
internal sealed class ExpressionParser
{
    private const int MaxDepth = 64;
    private static readonly HashSet<string> Keywords = new(StringComparer.OrdinalIgnoreCase) { "and", "or", "not", "is", "null", "in", "between", "true", "false" };

    private readonly string text;
    private readonly List<Token> tokens;
    private int next;
    private int depth;

    private ExpressionParser(string text)
    {
        this.text = text;
        if (text.Length > ExpressionText.MaxLength)
            throw new ExpressionException(text[..40] + "...", 0, $"the expression has {text.Length} characters, and at most {ExpressionText.MaxLength} are taken", "Split it into several derived columns");
        tokens = ExpressionLexer.Read(text);
    }

    private Token Current => tokens[next];

    public static Expression Parse(string text)
    {
        var parser = new ExpressionParser(text);
        if (parser.Current.Kind == TokenKind.End)
            throw new ExpressionException(text, 0, "the expression is empty", "Write one such as arr_delay > 15");
        var expression = parser.ParseOr();
        return parser.Current.Kind == TokenKind.End
            ? expression
            : throw parser.Unexpected("an operator or the end");
    }

    public static bool IsKeyword(string name) => Keywords.Contains(name);

    private Expression ParseOr() => ParseChain(ParseAnd, "or", BinaryOperator.Or);

    private Expression ParseAnd() => ParseChain(ParseNot, "and", BinaryOperator.And);

    private Expression ParseChain(Func<Expression> operand, string keyword, BinaryOperator op)
    {
        if (++depth > MaxDepth)
            throw new ExpressionException(text, Current.Position, $"the expression is nested deeper than {MaxDepth}", "Split it into several derived columns");
        var left = operand();
        while (Current.IsKeyword(keyword))
        {
            var position = Take().Position;
            left = new Binary(position, op, left, operand());
        }

        depth--;
        return left;
    }

    private Expression ParseNot()
    {
        if (!Current.IsKeyword("not"))
            return ParsePredicate();
        if (++depth > MaxDepth)
            throw new ExpressionException(text, Current.Position, $"the expression is nested deeper than {MaxDepth}", "Remove double nots");
        var negation = new Unary(Take().Position, UnaryOperator.Not, ParseNot());
        depth--;
        return negation;
    }

    private Expression ParsePredicate()
    {
        var left = ParseSum();
        var position = Current.Position;
        if (ComparisonOf(Current) is { } op)
        {
            Take();
            var comparison = new Binary(position, op, left, ParseSum());
            return ComparisonOf(Current) is null
                ? comparison
                : throw new ExpressionException(text, Current.Position, "comparisons do not chain", "Write `a < b and b < c`, or `b between a and c`");
        }

        if (TakeKeyword("is"))
        {
            var isNegated = TakeKeyword("not");
            Expect("null", TakeKeyword("null"));
            return new IsNull(position, left, isNegated);
        }

        var negated = Current.IsKeyword("not") && (tokens[next + 1].IsKeyword("in") || tokens[next + 1].IsKeyword("between")) && TakeKeyword("not");
        if (TakeKeyword("in"))
            return new InList(position, left, ParseList("a value"), negated);
        return TakeKeyword("between") ? ParseBetween(position, left, negated) : left;
    }

    private Between ParseBetween(int position, Expression operand, bool negated)
    {
        var low = ParseSum();
        Expect("and", TakeKeyword("and"));
        return new Between(position, operand, low, ParseSum(), negated);
    }

    private static BinaryOperator? ComparisonOf(Token token) => token.Kind != TokenKind.Symbol ? null : token.Text switch
    {
        "=" or "==" => BinaryOperator.Equal,
        "!=" or "<>" => BinaryOperator.NotEqual,
        "<" => BinaryOperator.Less,
        "<=" => BinaryOperator.LessOrEqual,
        ">" => BinaryOperator.Greater,
        ">=" => BinaryOperator.GreaterOrEqual,
        _ => null,
    };

    private Expression ParseSum()
    {
        var left = ParseProduct();
        while (Current.IsSymbol("+") || Current.IsSymbol("-"))
        {
            var token = Take();
            left = new Binary(token.Position, token.Text == "+" ? BinaryOperator.Add : BinaryOperator.Subtract, left, ParseProduct());
        }

        return left;
    }

    private Expression ParseProduct()
    {
        var left = ParseUnary();
        while (Current.IsSymbol("*") || Current.IsSymbol("/") || Current.IsSymbol("%"))
        {
            var token = Take();
            var op = token.Text switch { "*" => BinaryOperator.Multiply, "/" => BinaryOperator.Divide, _ => BinaryOperator.Remainder };
            left = new Binary(token.Position, op, left, ParseUnary());
        }

        return left;
    }

    private Expression ParseUnary()
    {
        if (!Current.IsSymbol("-"))
            return ParsePrimary();
        if (++depth > MaxDepth)
            throw new ExpressionException(text, Current.Position, $"the expression is nested deeper than {MaxDepth}", "Remove double signs");
        var position = Take().Position;
        Expression negated = Current.Kind == TokenKind.Number ? Negative(position, Take()) : new Unary(position, UnaryOperator.Negate, ParseUnary());
        depth--;
        return negated;
    }

    // The least integer can only be written as a negated literal, so a minus before a number belongs to it.
    private static Literal Negative(int position, Token number) =>
        new(position, number.Value is ulong whole ? unchecked(-(long)whole) : (object)-(double)number.Value!);

    private Expression ParsePrimary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.Number when token.Value is ulong whole:
                return whole <= long.MaxValue
                    ? new Literal(token.Position, (long)whole)
                    : throw new ExpressionException(text, token.Position, $"the number {token.Text} cannot be held", "Integers go up to 9223372036854775807");
            case TokenKind.Number or TokenKind.String:
                return new Literal(token.Position, token.Value);
            case TokenKind.QuotedName:
                return new FieldReference(token.Position, (string)token.Value!);
            case TokenKind.Symbol when token.Text == "(":
                var inner = ParseOr();
                Expect(")", TakeSymbol(")"));
                return inner;
            case TokenKind.Name when !Keywords.Contains(token.Text):
                return Current.IsSymbol("(")
                    ? new Call(token.Position, token.Text.ToLowerInvariant(), ParseList("an argument"))
                    : new FieldReference(token.Position, token.Text);
        }

        if (token.IsKeyword("null"))
            return new Literal(token.Position, null);
        if (token.IsKeyword("true") || token.IsKeyword("false"))
            return new Literal(token.Position, token.IsKeyword("true"));
        next--;
        throw Unexpected("a field, a number, a 'string', a function or (");
    }

    private List<Expression> ParseList(string what)
    {
        Expect("(", TakeSymbol("("));
        if (Current.IsSymbol(")"))
            throw Unexpected(what);
        var items = new List<Expression>();
        do
            items.Add(ParseOr());
        while (TakeSymbol(","));
        Expect(")", TakeSymbol(")"));
        return items;
    }

    private Token Take() => tokens[next++];

    private bool TakeKeyword(string keyword)
    {
        if (!Current.IsKeyword(keyword))
            return false;
        next++;
        return true;
    }

    private bool TakeSymbol(string symbol)
    {
        if (!Current.IsSymbol(symbol))
            return false;
        next++;
        return true;
    }

    private void Expect(string what, bool found)
    {
        if (!found)
            throw Unexpected($"`{what}`");
    }

    private ExpressionException Unexpected(string wanted) => new(text, Current.Position, $"found {Current} where {wanted} is expected", Current.Kind == TokenKind.Name && Keywords.Contains(Current.Text)
        ? $"A field of the name {Current.Text} is written in backticks: `{Current.Text}`"
        : "Correct the expression; docs/catalog.md has the syntax");
}
