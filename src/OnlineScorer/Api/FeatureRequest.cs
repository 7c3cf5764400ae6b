using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamMl.FeatureEngine.Services;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Api;

/// <summary>Reads <c>POST /v1/features</c>: <c>{service | features, entities: [{key: value}], asOf?}</c>. Everything wrong is an <see cref="ApiProblem"/>.</summary>
internal static class FeatureRequest
{
    /// <summary>1973: a smaller number is not microseconds but seconds or milliseconds.</summary>
    private const long LeastMicros = 100_000_000_000_000;

    /// <summary>9999-12-31.</summary>
    private const long MostMicros = 253_402_300_799_999_999;

    private const string TimeForms = "send \"now\", \"latest\" (what the store has seen), ISO 8601 with a zone (\"2013-05-01T12:00:00Z\"), or whole microseconds since 1970";

    public static ReadBatch Parse(JsonElement body, ServiceBook book, FeatureApiOptions options, TimeProvider time)
    {
        if (body.ValueKind != JsonValueKind.Object)
            throw Bad("bad-request", $"the body is a JSON {body.ValueKind.ToString().ToLowerInvariant()}", "send an object with 'service' or 'features', and 'entities'");
        foreach (var member in body.EnumerateObject())
        {
            if (member.Name is not ("service" or "features" or "entities" or "asOf"))
                throw Bad("unknown-member", $"the request has no member '{member.Name}'", "use 'service' or 'features', 'entities' and 'asOf'", member.Name);
        }

        var service = FindService(body, book);
        var entities = Entities(body, service, options);
        var asOfUs = body.TryGetProperty("asOf", out var asOf) ? ParseTime(asOf, "asOf", time) : NowUs(time);
        var batch = book.Rent(service);
        for (var i = 0; i < entities.GetArrayLength(); i++)
            AddEntity(batch, entities[i], i, asOfUs);
        return batch;
    }

    /// <summary>A time as requests write it; "latest" is <see cref="ReadBatch.LatestUs"/>.</summary>
    public static long ParseTime(JsonElement value, string name, TimeProvider time)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return NowUs(time);
            case JsonValueKind.Number when value.TryGetInt64(out var micros):
                return micros >= LeastMicros && micros <= MostMicros
                    ? micros
                    : throw Bad("bad-time", $"'{name}' {micros} is no time in microseconds after 1973", TimeForms, value.GetRawText());
            case JsonValueKind.String:
                return ParseTime(value.GetString()!, name, time);
            default:
                throw Bad("bad-time", $"'{name}' is {value.GetRawText()}", TimeForms, value.GetRawText());
        }
    }

    /// <summary>The time that the reader stands on, where it is one in microseconds; null: see <see cref="ParseTime(JsonElement, string, TimeProvider)"/>.</summary>
    public static long? MicrosOf(ref Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var micros) && micros is >= LeastMicros and <= MostMicros ? micros : null;

    /// <summary>A time as a text.</summary>
    public static long ParseTime(string text, string name, TimeProvider time)
    {
        if (text is "now")
            return NowUs(time);
        if (text is "latest")
            return ReadBatch.LatestUs;
        var hasZone = text.Length > 10 && (text[^1] is 'Z' or 'z' || text.AsSpan(10).IndexOfAny('+', '-') > 0);
        return hasZone && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? TimeGrid.FromDateTime(at.UtcDateTime)
            : throw Bad("bad-time", $"'{name}' is \"{text}\"", TimeForms, text);
    }

    public static long NowUs(TimeProvider time) => TimeGrid.FromDateTime(time.GetUtcNow().UtcDateTime);

    private static ServedService FindService(JsonElement body, ServiceBook book)
    {
        var hasService = body.TryGetProperty("service", out var service);
        var hasFeatures = body.TryGetProperty("features", out var features);
        if (hasService == hasFeatures)
            throw Bad("bad-request", hasService ? "the request names a 'service' and 'features'" : "the request names neither a 'service' nor 'features'", "name one of the two");
        if (hasService)
        {
            return service.ValueKind == JsonValueKind.String
                ? book.Service(service.GetString()!)
                : throw Bad("bad-request", $"'service' is {service.GetRawText()}", "send its name as a string; GET /v1/services lists them");
        }

        if (features.ValueKind != JsonValueKind.Array || features.GetArrayLength() == 0 || features.EnumerateArray().Any(f => f.ValueKind != JsonValueKind.String))
            throw Bad("bad-request", "'features' is no list of names", "send strings like \"view.feature\" or \"view.*\", at least one");
        return book.FeatureList([.. features.EnumerateArray().Select(f => f.GetString()!)]);
    }

    private static JsonElement Entities(JsonElement body, ServedService service, FeatureApiOptions options)
    {
        if (!body.TryGetProperty("entities", out var entities) || entities.ValueKind != JsonValueKind.Array)
            throw Bad("bad-request", "'entities' is missing or no list", $"send a list of objects with {Keys(service)}");
        var count = entities.GetArrayLength();
        if (count > options.MaxEntities)
            throw new ApiProblem(413, "too-many-entities", $"the request has {count} entities, the limit is {options.MaxEntities}", "send several requests, or raise MaxEntities", count.ToString(), options.MaxEntities.ToString());
        return entities;
    }

    private static void AddEntity(ReadBatch batch, JsonElement entity, int index, long asOfUs)
    {
        if (entity.ValueKind != JsonValueKind.Object)
            throw Bad("bad-entity", $"entities[{index}] is {Short(entity)}", $"send an object with {Keys(batch.Service)}");
        var program = batch.Service.Program;
        var request = batch.Add(asOfUs);
        var named = 0;
        foreach (var member in entity.EnumerateObject())
        {
            var slot = program.KeyIndex(member.Name);
            if (slot < 0)
                throw Bad("unknown-key", $"entities[{index}] has a key '{member.Name}' that the service does not read", $"send {Keys(batch.Service)}", member.Name);
            if (KeyText(member.Value, program.Keys[slot], "entities", index) is { } text)
                batch.SetKey(request, slot, Encoding.UTF8.GetBytes(text));
            named++;
        }

        if (named < program.Keys.Count)
        {
            var missing = program.Keys.Where(k => !entity.TryGetProperty(k.Name, out _)).Select(k => k.Name);
            throw Bad("missing-key", $"entities[{index}] lacks {string.Join(", ", missing)}", $"send {Keys(batch.Service)}; a key that is not known is null");
        }
    }

    /// <summary>The canonical text of a key value, as the stream writes it from the event's field; null for a null key.</summary>
    public static string? KeyText(JsonElement value, ServiceKey key, string list, int index)
    {
        switch (key.Type)
        {
            case var _ when value.ValueKind == JsonValueKind.Null:
                return null;
            case FieldType.String when value.ValueKind == JsonValueKind.String:
                return value.GetString();
            case FieldType.Int64 when value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number):
                return number.ToString(CultureInfo.InvariantCulture);
            case FieldType.Int64 when value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number):
                return number.ToString(CultureInfo.InvariantCulture);
            case FieldType.Boolean when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                return value.ValueKind == JsonValueKind.True ? "true" : "false";
            case FieldType.Timestamp when value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var micros):
                return micros.ToString(CultureInfo.InvariantCulture);
            default:
                throw Bad("bad-key", $"{list}[{index}].{key.Name} is {Short(value)}, type {key.Type} is expected", key.Type == FieldType.String ? "put it in quotes" : $"send type {key.Type}, or null", Short(value));
        }
    }

    public static string Keys(ServedService service) => service.Program.Keys.Count == 0
        ? "no keys: {}"
        : "the keys " + string.Join(", ", service.Program.Keys.Select(k => $"{k.Name} ({k.Type})"));

    public static string Short(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 80 ? text : text[..80] + "…";
    }

    private static ApiProblem Bad(string code, string detail, string remedy, string? value = null) => new(400, code, detail, remedy, value);
}
