using System.Globalization;
using System.Text.Json;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>A request's fields, which stand in the query of a GET and in the JSON body of everything else. 64-bit numbers come as numbers or as text.</summary>
internal sealed class MlflowRequest(HttpRequest http, JsonElement body)
{
    public CancellationToken Aborted => http.HttpContext.RequestAborted;

    public string Required(string name) => Text(name) is { Length: > 0 } value ? value : throw Wrong(name, "is missing");

    public string? Text(string name) => Field(name) is { } field
        ? field.ValueKind == JsonValueKind.String ? field.GetString() : field.GetRawText()
        : http.Query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Old clients say run_uuid.</summary>
    public string RunId() => Text("run_id") is { Length: > 0 } id ? id : Text("run_uuid") is { Length: > 0 } old ? old : throw Wrong("run_id", "is missing");

    public long? Number(string name) => Text(name) is not { Length: > 0 } text
        ? null
        : long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : throw Wrong(name, $"is '{text}', which is no whole number");

    /// <summary>A page's size within its limits.</summary>
    public int MaxResults(int otherwise, int most) => Number("max_results") is not { } asked
        ? otherwise
        : asked >= 1 && asked <= most ? (int)asked : throw Wrong("max_results", $"is {asked}; it must be 1 to {most}");

    /// <summary>A list of texts: repeated in a query.</summary>
    public IReadOnlyList<string> Texts(string name) => Field(name) is { ValueKind: JsonValueKind.Array } field
        ? [.. field.EnumerateArray().Select(e => e.ToString())]
        : [.. http.Query[name].OfType<string>()];

    /// <summary>A list of objects.</summary>
    public IReadOnlyList<MlflowRequest> Objects(string name) => Field(name) is not { } field
        ? []
        : field.ValueKind == JsonValueKind.Array ? [.. field.EnumerateArray().Select(e => new MlflowRequest(http, e))] : throw Wrong(name, "is no list");

    /// <summary>A list of key and value.</summary>
    public Dictionary<string, string> Pairs(string name)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Objects(name))
            pairs[pair.Required("key")] = pair.Text("value") ?? "";
        return pairs;
    }

    public double Real(string name) => Field(name) switch
    {
        { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
        { ValueKind: JsonValueKind.String } text when double.TryParse(text.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) => value,
        _ => throw Wrong(name, "must be a number, or \"NaN\", \"Infinity\" or \"-Infinity\""),
    };

    public static MlflowException Wrong(string name, string what) => new(MlflowException.Invalid, $"'{name}' {what}");

    private JsonElement? Field(string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var field) && field.ValueKind != JsonValueKind.Null ? field : null;
}
