using System.Buffers;
using System.Text.Json;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>
/// Reads <c>POST /v1/predict</c>: <c>{model?, rows: [{key or input: value}], asOf?, explain?}</c>. What is wrong with the request is an <see cref="ApiProblem"/>; what is wrong
/// with a row is that row's.
/// </summary>
internal static class PredictRequest
{
    private const int NoList = -1;

    private const string Allowed = "use 'rows', and where wanted 'model', 'asOf' and 'explain'";

    /// <summary>Reads it where it lies; the work has copies of what it needs.</summary>
    /// <returns>The rows, the model and whether contributions are wanted.</returns>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static (PredictWork Work, ServingModel Serving, bool Explain) Parse(in ReadOnlySequence<byte> body, ModelHost host, ScoringOptions options, TimeProvider time)
    {
        // Twice over the rows: who reads them is known when all members are, and then nothing of them can be bad JSON any more.
        var json = new Utf8JsonReader(body);
        Utf8JsonReader rows = default;
        Members members = default;
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
            throw Bad("bad-request", $"the body is a JSON {KindOf(json)}", Allowed);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("rows"u8))
            {
                json.Read();
                rows = json;
                members.Rows = CountAndSkip(ref json);
            }
            else
            {
                members.Read(ref json);
            }
        }

        json.Read(); // nothing but space may follow
        var serving = members.Name is { } name ? FindModel(name, host) : FindModel(members.Model, host);
        CheckRows(members.Rows, options, serving.Model);
        var asOfUs = members.AsOf.ValueKind != JsonValueKind.Undefined ? FeatureRequest.ParseTime(members.AsOf, "asOf", time) : members.AsOfUs ?? FeatureRequest.NowUs(time);
        var explain = members.Explain.ValueKind != JsonValueKind.Undefined && (members.Explain.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? members.Explain.GetBoolean()
            : throw Bad("bad-request", $"'explain' is {FeatureRequest.Short(members.Explain)}", "send true or false"));
        var work = PredictWork.Rent(serving.Model);
        for (var index = 0; index < members.Rows; index++)
        {
            rows.Read();
            PredictRow.Add(work, ref rows, index, asOfUs, time);
        }

        return (work, serving, explain);
    }

    /// <summary>The model that a caller names, or the only one that serves as champion.</summary>
    public static ServingModel FindModel(string? name, ModelHost host)
    {
        if (name is null)
        {
            var champions = host.Serving.Where(s => s.Variant == ModelNames.Champion).ToList();
            return champions.Count == 1 ? champions[0] : throw NoModel(host, $"the request names no model, and {champions.Count} serve as champion", "name one as 'model'", null);
        }

        try
        {
            return host.Find(ModelReference.Parse(name)) ?? throw NoModel(host, $"model '{name}' does not serve", "name one that does, or promote a version", name);
        }
        catch (ModelException e)
        {
            throw Bad("bad-model", e.Message, "send a name, name@alias or name@version", name);
        }
    }

    private static ServingModel FindModel(JsonElement model, ModelHost host) => model.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => FindModel((string?)null, host),
        _ => throw Bad("bad-model", $"'model' is {FeatureRequest.Short(model)}", "send its name as a string; GET /v1/models lists them"),
    };

    private static ApiProblem NoModel(ModelHost host, string detail, string remedy, string? value)
    {
        var serving = host.Serving.Select(s => $"{s.Model.Version} ({s.Variant})").ToList();
        var refused = host.Refused.Select(r => $"; {r.Name}@{r.Alias} is refused: {r.Reason}");
        return new ApiProblem(404, "no-such-model", $"{detail}; serving: {(serving.Count == 0 ? "none" : string.Join(", ", serving))}{string.Concat(refused)}", remedy, value);
    }

    private static void CheckRows(int? count, ScoringOptions options, LoadedModel model)
    {
        if (count is null or NoList)
            throw Bad("bad-request", "'rows' is missing or no list", $"send a list of objects with {Wanted(model)}");
        if (count > options.MaxRows)
            throw new ApiProblem(413, "too-many-rows", $"the request has {count} rows, the limit is {options.MaxRows}", "send several requests, or raise MaxRows", $"{count}", options.MaxRows.ToString());
    }

    /// <summary>How many there are; leaves the list behind it.</summary>
    private static int CountAndSkip(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartArray)
        {
            json.Skip();
            return NoList;
        }

        var count = 0;
        for (; json.Read() && json.TokenType != JsonTokenType.EndArray; count++)
            json.Skip();
        return count;
    }

    private static string KindOf(Utf8JsonReader json) => JsonElement.ParseValue(ref json).ValueKind.ToString().ToLowerInvariant();

    /// <summary>What a row must name, for messages.</summary>
    public static string Wanted(LoadedModel model) => model.GivenSchema.Fields.Count == 0
        ? FeatureRequest.Keys(model.Service)
        : $"{FeatureRequest.Keys(model.Service)} and the inputs {string.Join(", ", model.GivenSchema.Fields.Select(f => $"{f.Name} ({f.Type})"))}";

    private static ApiProblem Bad(string code, string detail, string remedy, string? value = null) => new(400, code, detail, remedy, value);

    /// <summary>The members beside the rows: as they were sent, and of what is mostly sent the value.</summary>
    private ref struct Members
    {
        public int? Rows;
        public string? Name;
        public JsonElement Model;
        public JsonElement AsOf;
        public JsonElement Explain;
        public long? AsOfUs;

        public void Read(ref Utf8JsonReader json)
        {
            if (json.ValueTextEquals("model"u8))
            {
                json.Read();
                Name = json.TokenType == JsonTokenType.String ? json.GetString() : null;
                Model = Name is null ? JsonElement.ParseValue(ref json) : default;
            }
            else if (json.ValueTextEquals("asOf"u8))
            {
                json.Read();
                AsOfUs = FeatureRequest.MicrosOf(ref json);
                AsOf = AsOfUs is null ? JsonElement.ParseValue(ref json) : default;
            }
            else if (json.ValueTextEquals("explain"u8))
            {
                json.Read();
                Explain = JsonElement.ParseValue(ref json);
            }
            else
            {
                throw Bad("unknown-member", $"the request has no member '{json.GetString()}'", Allowed, json.GetString());
            }
        }
    }
}
