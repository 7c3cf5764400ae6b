using System.Globalization;
using System.Text;
using StreamMl.OnlineScorer.Api.Predicting;
using StreamMl.Shared.Events;

namespace StreamMl.OnlineScorer.Api.Grpc;

/// <summary>Adds rows of gRPC calls to a request's work; what is wrong with a row is that row's.</summary>
internal static class GrpcRow
{
    public static void Add(PredictWork work, Row row, int index, long asOfUs)
    {
        var request = work.Add(asOfUs);
        var program = work.Model.Service.Program;
        var named = 0;
        foreach (var (name, value) in row.Values)
        {
            var (slot, column) = (program.KeyIndex(name), work.Given.Schema.IndexOf(name));
            if (slot < 0 && column < 0)
            {
                work.Fail(request, new ApiProblem(400, "unknown-input", $"rows[{index}] has '{name}', which {work.Model.Version} does not read", $"send {PredictRequest.Wanted(work.Model)}", name));
                return;
            }

            if ((slot >= 0 && !TrySetKey(work, request, slot, value)) || (column >= 0 && !TrySet(work.Given, column, request, value)))
            {
                work.Fail(request, new ApiProblem(400, "bad-input", $"rows[{index}].{name} is a {value.KindCase}", $"send {PredictRequest.Wanted(work.Model)}", name));
                return;
            }

            named += (slot >= 0 ? 1 : 0) + (column >= 0 ? 1 : 0);
        }

        if (named < program.Keys.Count + work.Given.Schema.Fields.Count)
            work.Fail(request, new ApiProblem(400, "missing-input", $"rows[{index}] lacks {string.Join(", ", Missing(work, row))}", $"send {PredictRequest.Wanted(work.Model)}; a value with none set is null"));
    }

    private static IEnumerable<string> Missing(PredictWork work, Row row) =>
        work.Model.Service.Program.Keys.Select(k => k.Name).Concat(work.Given.Schema.Fields.Select(f => f.Name)).Distinct(StringComparer.Ordinal).Where(n => !row.Values.ContainsKey(n));

    private static bool TrySetKey(PredictWork work, int request, int slot, Value value)
    {
        var text = (work.Model.Service.Program.Keys[slot].Type, value.KindCase) switch
        {
            (_, Value.KindOneofCase.None) => "",
            (FieldType.String, Value.KindOneofCase.Text) => value.Text,
            (FieldType.Int64, Value.KindOneofCase.Whole) => value.Whole.ToString(CultureInfo.InvariantCulture),
            (FieldType.Boolean, Value.KindOneofCase.Flag) => value.Flag ? "true" : "false",
            (FieldType.Timestamp, Value.KindOneofCase.TimeUs) => value.TimeUs.ToString(CultureInfo.InvariantCulture),
            _ => null,
        };
        if (text is not null && value.KindCase != Value.KindOneofCase.None)
            work.Read.SetKey(request, slot, Encoding.UTF8.GetBytes(text));
        return text is not null;
    }

    private static bool TrySet(EventBatch given, int column, int row, Value value)
    {
        var into = given.Columns[column];
        switch (into.Type, value.KindCase)
        {
            case (_, Value.KindOneofCase.None): break;
            case (FieldType.String, Value.KindOneofCase.Text): into.Set(row, given.Arena.Append(value.Text)); break;
            case (FieldType.Int64, Value.KindOneofCase.Whole): into.Set(row, value.Whole); break;
            case (FieldType.Float64, Value.KindOneofCase.Number): into.Set(row, value.Number); break;
            case (FieldType.Float64, Value.KindOneofCase.Whole): into.Set(row, (double)value.Whole); break;
            case (FieldType.Boolean, Value.KindOneofCase.Flag): into.Set(row, value.Flag ? 1L : 0L); break;
            case (FieldType.Timestamp, Value.KindOneofCase.TimeUs): into.Set(row, value.TimeUs); break;
            default: return false;
        }

        return true;
    }
}
