using System.Text.Json;

namespace StreamMl.Shared.Client;

/// <summary>The features of one entity, and where they come from. Immutable; thread-safe.</summary>
public sealed class FeatureVector
{
    private readonly IReadOnlyDictionary<string, int> index;

    private FeatureVector(
        string service, string hash, IReadOnlyDictionary<string, int> index, IReadOnlyList<string> names, IReadOnlyList<object?> values, DateTime asOf, IReadOnlyList<ViewPosition> views)
    {
        Service = service;
        Hash = hash;
        this.index = index;
        Names = names;
        Values = values;
        AsOf = asOf;
        Views = views;
    }

    public string Service { get; }

    /// <summary>Hash of the service's definition.</summary>
    public string Hash { get; }

    /// <summary>Full names, view.feature.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>bool, long, double, string, DateTime (UTC) or null, in the order of <see cref="Names"/>.</summary>
    public IReadOnlyList<object?> Values { get; }

    /// <summary>The time that was asked for, UTC.</summary>
    public DateTime AsOf { get; }

    public IReadOnlyList<ViewPosition> Views { get; }

    /// <exception cref="ArgumentException">The service has no such feature.</exception>
    public object? this[string name] => index.TryGetValue(name, out var i)
        ? Values[i]
        : throw new ArgumentException($"service '{Service}' has no feature '{name}'; it has {Names.Count}, from {Names[0]} to {Names[^1]}", nameof(name));

    /// <summary>The value as a number: integers are converted, booleans are 0 and 1, null is null.</summary>
    public double? GetDouble(string name) => this[name] switch
    {
        null => null,
        double number => number,
        long number => number,
        bool flag => flag ? 1 : 0,
        var other => throw new InvalidCastException($"feature '{name}' is a {other.GetType().Name}, not a number"),
    };

    internal static IReadOnlyList<FeatureVector> ReadAll(JsonElement answer)
    {
        var names = answer.GetProperty("names").EnumerateArray().Select(n => n.GetString()!).ToList();
        var types = answer.GetProperty("types").EnumerateArray().Select(n => n.GetString()!).ToList();
        var indexes = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
            indexes[names[i]] = i;
        return
        [
            .. answer.GetProperty("rows").EnumerateArray().Select(row => new FeatureVector(
                answer.GetProperty("service").GetString()!,
                answer.GetProperty("hash").GetString()!,
                indexes,
                names,
                [.. row.GetProperty("values").EnumerateArray().Select((v, i) => Value(v, types[i]))],
                row.GetProperty("asOf").GetDateTime(),
                [.. row.GetProperty("views").EnumerateArray().Select(ViewPosition.Read)])),
        ];
    }

    private static object? Value(JsonElement value, string type) => value.ValueKind == JsonValueKind.Null
        ? null
        : type switch
        {
            "boolean" => value.GetBoolean(),
            "int64" => value.GetInt64(),
            "float64" => value.ValueKind == JsonValueKind.String ? NotFinite(value.GetString()!) : value.GetDouble(),
            "string" => value.GetString(),
            "timestamp" => value.GetDateTime(),
            _ => throw new FormatException($"the server sends a type '{type}' that this client does not know; update the client"),
        };

    private static double NotFinite(string text) => text switch
    {
        "NaN" => double.NaN,
        "Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => throw new FormatException($"'{text}' is no number"),
    };
}

/// <summary>Where the values of one view come from. Times are UTC.</summary>
/// <param name="View">Name of the view.</param>
/// <param name="Definition">First 8 hex digits of its definition's hash.</param>
/// <param name="Log">The topic that it reads.</param>
/// <param name="Partition">Null where a key was null.</param>
/// <param name="NextOffset">The values are of the prefix [<see cref="FromOffset"/>, NextOffset) of the partition.</param>
/// <param name="Watermark">Greatest event time in that prefix; null before the first event.</param>
/// <param name="EffectiveTime">The time that the values are of; later than the asked one where the entity is further already.</param>
/// <param name="NewestEvent">The entity's newest event; null where it has none.</param>
/// <param name="Age">From the newest event to the asked time.</param>
/// <param name="Coverage">The part of the longest window that lies after the first event ever seen, 0 to 1; with a lifetime feature also at most the part of the partition's offsets that the store has counted.</param>
public sealed record ViewPosition(
    string View,
    string Definition,
    string Log,
    int? Partition,
    long NextOffset,
    DateTime? Watermark,
    DateTime EffectiveTime,
    DateTime? NewestEvent,
    TimeSpan? Age,
    double Coverage)
{
    /// <summary>Where the store began to count: 0, or later if what was before was no longer in the topic.</summary>
    public long FromOffset { get; init; }

    internal static ViewPosition Read(JsonElement json) => new(
        json.GetProperty("view").GetString()!,
        json.GetProperty("definition").GetString()!,
        json.GetProperty("log").GetString()!,
        json.GetProperty("partition").ValueKind == JsonValueKind.Null ? null : json.GetProperty("partition").GetInt32(),
        json.TryGetProperty("nextOffset", out var next) ? next.GetInt64() : 0,
        Time(json.GetProperty("watermark")),
        json.GetProperty("effectiveTime").GetDateTime(),
        Time(json.GetProperty("newestEvent")),
        json.GetProperty("ageSeconds").ValueKind == JsonValueKind.Null ? null : TimeSpan.FromSeconds(json.GetProperty("ageSeconds").GetDouble()),
        json.GetProperty("coverage").GetDouble())
    {
        FromOffset = json.TryGetProperty("fromOffset", out var from) ? from.GetInt64() : 0,
    };

    private static DateTime? Time(JsonElement json) => json.ValueKind == JsonValueKind.Null ? null : json.GetDateTime();
}
