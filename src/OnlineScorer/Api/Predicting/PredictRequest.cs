using System.Text;
using System.Text.Json;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>
/// Reads <c>POST /v1/predict</c>: <c>{model?, rows: [{key or input: value}], asOf?, explain?}</c>. What is wrong with the request is an <see cref="ApiProblem"/>; what is wrong
/// with a row is that row's.
/// </summary>
internal static class PredictRequest
{
    private const string Members = "use 'rows', and where wanted 'model', 'asOf' and 'explain'";

    /// <returns>The rows, the model and whether contributions are wanted.</returns>
    public static (PredictWork Work, ServingModel Serving, bool Explain) Parse(JsonElement body, ModelHost host, ScoringOptions options, TimeProvider time)
    {
        if (body.ValueKind != JsonValueKind.Object)
            throw Bad("bad-request", $"the body is a JSON {body.ValueKind.ToString().ToLowerInvariant()}", Members);
        JsonElement model = default, list = default, asOf = default, wanted = default;
        foreach (var member in body.EnumerateObject())
        {
            if (member.NameEquals("rows"u8))
                list = member.Value;
            else if (member.NameEquals("model"u8))
                model = member.Value;
            else if (member.NameEquals("asOf"u8))
                asOf = member.Value;
            else if (member.NameEquals("explain"u8))
                wanted = member.Value;
            else
                throw Bad("unknown-member", $"the request has no member '{member.Name}'", Members, member.Name);
        }

        var serving = FindModel(model, host);
        var rows = Rows(list, options, serving.Model);
        var asOfUs = asOf.ValueKind != JsonValueKind.Undefined ? FeatureRequest.ParseTime(asOf, "asOf", time) : FeatureRequest.NowUs(time);
        var explain = wanted.ValueKind != JsonValueKind.Undefined && (wanted.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? wanted.GetBoolean()
            : throw Bad("bad-request", $"'explain' is {FeatureRequest.Short(wanted)}", "send true or false"));
        var work = PredictWork.Rent(serving.Model);
        var index = 0;
        foreach (var row in rows.EnumerateArray())
            AddRow(work, row, index++, asOfUs, time);
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
        JsonValueKind.String => FindModel(model.GetString(), host),
        _ => throw Bad("bad-model", $"'model' is {FeatureRequest.Short(model)}", "send its name as a string; GET /v1/models lists them"),
    };

    private static ApiProblem NoModel(ModelHost host, string detail, string remedy, string? value)
    {
        var serving = host.Serving.Select(s => $"{s.Model.Version} ({s.Variant})").ToList();
        var refused = host.Refused.Select(r => $"; {r.Name}@{r.Alias} is refused: {r.Reason}");
        return new ApiProblem(404, "no-such-model", $"{detail}; serving: {(serving.Count == 0 ? "none" : string.Join(", ", serving))}{string.Concat(refused)}", remedy, value);
    }

    private static JsonElement Rows(JsonElement rows, ScoringOptions options, LoadedModel model)
    {
        if (rows.ValueKind != JsonValueKind.Array)
            throw Bad("bad-request", "'rows' is missing or no list", $"send a list of objects with {Wanted(model)}");
        var count = rows.GetArrayLength();
        return count <= options.MaxRows
            ? rows
            : throw new ApiProblem(413, "too-many-rows", $"the request has {count} rows, the limit is {options.MaxRows}", "send several requests, or raise MaxRows", count.ToString(), options.MaxRows.ToString());
    }

    private static void AddRow(PredictWork work, JsonElement row, int index, long asOfUs, TimeProvider time)
    {
        var request = work.Add(asOfUs);
        try
        {
            Fill(work, row, index, request, time);
        }
        catch (ApiProblem problem)
        {
            work.Fail(request, problem);
        }
    }

    private static void Fill(PredictWork work, JsonElement row, int index, int request, TimeProvider time)
    {
        if (row.ValueKind != JsonValueKind.Object)
            throw Bad("bad-row", $"rows[{index}] is {FeatureRequest.Short(row)}", $"send an object with {Wanted(work.Model)}");
        var program = work.Model.Service.Program;
        var (named, next) = (0, 0);
        foreach (var member in row.EnumerateObject())
        {
            var at = work.FindMember(member, next);
            if (at < 0)
                throw Bad("unknown-input", $"rows[{index}] has '{member.Name}', which {work.Model.Version} does not read", $"send {Wanted(work.Model)}", member.Name);
            next = at + 1;
            var (_, slot, column) = work.Members[at];
            if (slot >= 0 && FeatureRequest.KeyText(member.Value, program.Keys[slot], "rows", index) is { } text)
                work.Read.SetKey(request, slot, Encoding.UTF8.GetBytes(text));
            if (column >= 0)
                Set(work.Given, column, request, member.Value, index, time);
            named += (slot >= 0 ? 1 : 0) + (column >= 0 ? 1 : 0);
        }

        if (named < program.Keys.Count + work.Given.Schema.Fields.Count)
        {
            var missing = program.Keys.Select(k => k.Name).Concat(work.Given.Schema.Fields.Select(f => f.Name)).Distinct().Where(n => !row.TryGetProperty(n, out _));
            throw Bad("missing-input", $"rows[{index}] lacks {string.Join(", ", missing)}", $"send {Wanted(work.Model)}; what is not known is null");
        }
    }

    private static void Set(EventBatch given, int column, int row, JsonElement value, int index, TimeProvider time)
    {
        var field = given.Schema.Fields[column];
        var into = given.Columns[column];
        switch (field.Type)
        {
            case var _ when value.ValueKind == JsonValueKind.Null:
                break;
            case FieldType.String when value.ValueKind == JsonValueKind.String:
                into.Set(row, given.Arena.Append(value.GetString()!));
                break;
            case FieldType.Int64 when value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var whole):
                into.Set(row, whole);
                break;
            case FieldType.Float64 when value.ValueKind == JsonValueKind.Number:
                into.Set(row, value.GetDouble());
                break;
            case FieldType.Float64 when value.ValueKind == JsonValueKind.String && value.GetString() is "NaN" or "Infinity" or "-Infinity":
                into.Set(row, value.GetString() switch { "NaN" => double.NaN, "Infinity" => double.PositiveInfinity, _ => double.NegativeInfinity });
                break;
            case FieldType.Boolean when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                into.Set(row, value.GetBoolean() ? 1L : 0L);
                break;
            case FieldType.Timestamp:
                into.Set(row, FeatureRequest.ParseTime(value, $"rows[{index}].{field.Name}", time));
                break;
            default:
                throw Bad("bad-input", $"rows[{index}].{field.Name} is {FeatureRequest.Short(value)}, type {field.Type} is expected", $"send type {field.Type}, or null", FeatureRequest.Short(value));
        }
    }

    /// <summary>What a row must name, for messages.</summary>
    public static string Wanted(LoadedModel model) => model.GivenSchema.Fields.Count == 0
        ? FeatureRequest.Keys(model.Service)
        : $"{FeatureRequest.Keys(model.Service)} and the inputs {string.Join(", ", model.GivenSchema.Fields.Select(f => $"{f.Name} ({f.Type})"))}";

    private static ApiProblem Bad(string code, string detail, string remedy, string? value = null) => new(400, code, detail, remedy, value);
}
