using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using StreamMl.Shared.Events;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>
/// Reads one row of a <see cref="PredictRequest"/>. What is mostly sent (texts as they are, numbers) goes from the request's bytes to the work's; everything else, and
/// everything wrong, goes by way of a <see cref="JsonElement"/>, which can be shown.
/// </summary>
internal static class PredictRow
{
    /// <summary>Adds the row that the reader stands on, and leaves the reader on its last token. What is wrong with it is the row's problem.</summary>
    public static void Add(PredictWork work, ref Utf8JsonReader json, int index, long asOfUs, TimeProvider time)
    {
        var request = work.Add(asOfUs);
        var row = json;
        try
        {
            Fill(work, ref row, index, request, time);
        }
        catch (ApiProblem problem)
        {
            work.Fail(request, problem);
        }

        json.Skip();
    }

    private static void Fill(PredictWork work, ref Utf8JsonReader json, int index, int request, TimeProvider time)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw Bad("bad-row", $"rows[{index}] is {FeatureRequest.Short(JsonElement.ParseValue(ref json))}", $"send an object with {PredictRequest.Wanted(work.Model)}");
        var program = work.Model.Service.Program;
        var next = 0;
        work.Named.Clear();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var at = work.FindMember(ref json, next);
            if (at < 0)
                throw Bad("unknown-input", $"rows[{index}] has '{json.GetString()}', which {work.Model.Version} does not read", $"send {PredictRequest.Wanted(work.Model)}", json.GetString());
            next = at + 1;
            work.Named[at] = true;
            json.Read();
            var (_, slot, column) = work.Members[at];
            if (slot >= 0 && !TrySetKey(work, request, slot, program.Keys[slot].Type, ref json) && FeatureRequest.KeyText(Element(json), program.Keys[slot], "rows", index) is { } text)
                work.Read.SetKey(request, slot, Encoding.UTF8.GetBytes(text));
            if (column >= 0 && !TrySet(work.Given, column, request, ref json))
                Set(work.Given, column, request, Element(json), index, time);
            json.Skip();
        }

        if (work.Named.Contains(false))
            throw Bad("missing-input", $"rows[{index}] lacks {string.Join(", ", work.Unnamed())}", $"send {PredictRequest.Wanted(work.Model)}; what is not known is null");
    }

    private static bool TrySetKey(PredictWork work, int request, int slot, FieldType type, ref Utf8JsonReader json)
    {
        if (type != FieldType.String || !IsPlainText(ref json))
            return false;
        work.Read.SetKey(request, slot, json.ValueSpan);
        return true;
    }

    private static bool TrySet(EventBatch given, int column, int row, ref Utf8JsonReader json)
    {
        var into = given.Columns[column];
        switch (given.Schema.Fields[column].Type)
        {
            case FieldType.String when IsPlainText(ref json):
                into.Set(row, given.Arena.Append(json.ValueSpan));
                return true;
            case FieldType.Int64 when json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var whole):
                into.Set(row, whole);
                return true;
            case FieldType.Float64 when json.TokenType == JsonTokenType.Number && json.TryGetDouble(out var number):
                into.Set(row, number);
                return true;
            case FieldType.Timestamp when FeatureRequest.MicrosOf(ref json) is { } micros:
                into.Set(row, micros);
                return true;
            default:
                return false;
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

    /// <summary>A text whose bytes are what it says: in one piece, without escapes. What is no UTF-8 is left to who refuses it.</summary>
    private static bool IsPlainText(ref Utf8JsonReader json) =>
        json is { TokenType: JsonTokenType.String, HasValueSequence: false, ValueIsEscaped: false } && Utf8.IsValid(json.ValueSpan);

    private static JsonElement Element(Utf8JsonReader json) => JsonElement.ParseValue(ref json);

    private static ApiProblem Bad(string code, string detail, string remedy, string? value = null) => new(400, code, detail, remedy, value);
}
