namespace StreamMl.Infrastructure.Avro;

/// <summary>Why a value cannot become Avro: where, what was found, what belongs there. Only built when a value is refused.</summary>
internal sealed record EncodeProblem(string Path, string Text)
{
    private const int ShownCharacters = 60;

    public static EncodeProblem Found(string found, AvroType type) => new("", $"found {found} where {Article(type)} belongs; send {Expected(type)}");

    /// <summary>The same problem seen from the record, array or map around it.</summary>
    public EncodeProblem Under(string name) => this with { Path = Path.Length == 0 || Path[0] == '[' ? name + Path : $"{name}.{Path}" };

    public override string ToString() => Path.Length == 0 ? Text : $"field '{Path}': {Text}";

    /// <summary>A text as messages show it: quoted, and cut where it is long.</summary>
    public static string Quote(ReadOnlySpan<char> text) => text.Length <= ShownCharacters ? $"\"{text}\"" : $"\"{text[..ShownCharacters]}...\"";

    private static string Article(AvroType type)
    {
        var name = type.ValueType(out var nullable) is { } value ? value.Describe() : type.Describe();
        return $"{(nullable && type.Branches.Count == 2 ? "a nullable" : "aeiou".Contains(name[0]) ? "an" : "a")} {name}";
    }

    private static string Expected(AvroType type) => type.Kind switch
    {
        _ when type.Logical == AvroLogical.Decimal => $"a decimal number of at most {type.Precision} digits, {type.Scale} of them behind the point",
        _ when type.IsTimestamp => $"an ISO 8601 time such as 2013-05-01T08:30:00Z, or whole {TimeUnit.All[TimeUnit.IndexOf(type.Logical)].Name} since 1970-01-01 UTC",
        AvroKind.Null => "null",
        AvroKind.Boolean => "true or false",
        AvroKind.Int => $"a whole number from {int.MinValue} to {int.MaxValue}",
        AvroKind.Long => "a whole number of at most 64 bits",
        AvroKind.Float => "a number of at most 3.4e38",
        AvroKind.Double => "a number",
        AvroKind.String => "a text of valid Unicode",
        AvroKind.Bytes => "a text whose characters are bytes (U+0000 to U+00FF)",
        AvroKind.Fixed => $"a text of {type.Size} characters that are bytes (U+0000 to U+00FF)",
        AvroKind.Enum => $"one of {string.Join(", ", type.Symbols)}",
        AvroKind.Array => "an array",
        AvroKind.Map or AvroKind.Record => "an object",
        _ => string.Join(", or ", type.Branches.OrderBy(b => b.Kind == AvroKind.Null).Select(Expected)),
    };
}
