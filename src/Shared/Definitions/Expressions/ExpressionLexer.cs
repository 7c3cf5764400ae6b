using System.Globalization;

namespace StreamMl.Shared.Definitions.Expressions;

internal enum TokenKind
{
    End,
    Name,
    QuotedName,
    Number,
    String,
    Symbol,
}

/// <summary>One word of an expression. <paramref name="Value"/> is the number or the unquoted text.</summary>
internal readonly record struct Token(TokenKind Kind, int Position, string Text, object? Value = null)
{
    public bool IsSymbol(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    public bool IsKeyword(string keyword) => Kind == TokenKind.Name && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => Kind == TokenKind.End ? "the end" : $"`{Text}`";
}

/// <summary>Splits the text of an expression into tokens. Pure.</summary>
internal static class ExpressionLexer
{
    private static readonly string[] Symbols = ["<=", ">=", "!=", "<>", "==", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ","];

    public static List<Token> Read(string text)
    {
        var tokens = new List<Token>();
        for (var i = 0; ;)
        {
            while (i < text.Length && char.IsWhiteSpace(text[i]))
                i++;
            if (i == text.Length)
                break;
            var token = ReadOne(text, i, out i);
            tokens.Add(token);
        }

        tokens.Add(new Token(TokenKind.End, text.Length, ""));
        return tokens;
    }

    private static Token ReadOne(string text, int start, out int end)
    {
        var c = text[start];
        if (c == '\'')
            return ReadQuoted(text, start, TokenKind.String, out end);
        if (c == '`')
            return ReadQuoted(text, start, TokenKind.QuotedName, out end);
        if (char.IsAsciiDigit(c) || (c == '.' && start + 1 < text.Length && char.IsAsciiDigit(text[start + 1])))
            return ReadNumber(text, start, out end);
        if (char.IsAsciiLetter(c) || c == '_')
        {
            end = start + 1;
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
                end++;
            return new Token(TokenKind.Name, start, text[start..end]);
        }

        foreach (var symbol in Symbols)
        {
            if (string.CompareOrdinal(text, start, symbol, 0, symbol.Length) == 0)
            {
                end = start + symbol.Length;
                return new Token(TokenKind.Symbol, start, symbol);
            }
        }

        throw new ExpressionException(text, start, $"`{c}` means nothing here", RemedyFor(c));
    }

    private static string RemedyFor(char c) => c switch
    {
        '"' => "Write strings in single quotes: 'JFK'",
        '&' => "Write `and`",
        '|' => "Write `or`",
        '!' => "Write `not`, or `!=` to compare",
        _ => "Use fields, numbers, 'strings', + - * / %, comparisons, and, or, not, and functions",
    };

    private static Token ReadQuoted(string text, int start, TokenKind kind, out int end)
    {
        var quote = text[start];
        var value = new System.Text.StringBuilder();
        for (var i = start + 1; i < text.Length; i++)
        {
            if (text[i] != quote)
            {
                value.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == quote)
            {
                value.Append(quote);
                i++;
            }
            else
            {
                end = i + 1;
                return new Token(kind, start, text[start..end], value.ToString());
            }
        }

        throw new ExpressionException(text, start, "a quote is opened and never closed", $"Close it with {quote}; a {quote} inside is written twice");
    }

    private static Token ReadNumber(string text, int start, out int end)
    {
        end = start;
        var isFloat = false;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
            isFloat |= text[end++] == '.';
        if (end < text.Length && text[end] is 'e' or 'E' && HasExponent(text, end))
        {
            isFloat = true;
            end += text[end + 1] is '+' or '-' ? 2 : 1;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
                end++;
        }

        var digits = text[start..end];
        if (end < text.Length && (char.IsAsciiLetter(text[end]) || text[end] == '_'))
            throw new ExpressionException(text, start, $"`{digits}{text[end]}` is neither a number nor a name", "Put a space or an operator between them; names start with a letter");
        if (!isFloat && ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) && whole <= (ulong)long.MaxValue + 1)
            return new Token(TokenKind.Number, start, digits, whole);
        if (isFloat && double.TryParse(digits, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real))
            return new Token(TokenKind.Number, start, digits, real);
        throw new ExpressionException(text, start, $"the number {digits} cannot be held", "Integers go up to 9223372036854775807, decimals to 1.79e308");
    }

    private static bool HasExponent(string text, int e)
    {
        var digit = e + 1 < text.Length && text[e + 1] is '+' or '-' ? e + 2 : e + 1;
        return digit < text.Length && char.IsAsciiDigit(text[digit]);
    }
}
