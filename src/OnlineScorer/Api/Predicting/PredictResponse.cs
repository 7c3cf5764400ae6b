using System.Text.Json;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>Scores the rows of a request and writes the answer: which model made it, then per row score, decision, flags and where each view's values come from, or what is wrong.</summary>
internal static class PredictResponse
{
    private static readonly JsonEncodedText Id = JsonEncodedText.Encode("id");
    private static readonly JsonEncodedText Decision = JsonEncodedText.Encode("decision");
    private static readonly JsonEncodedText Views = JsonEncodedText.Encode("views");
    private static readonly JsonEncodedText View = JsonEncodedText.Encode("view");
    private static readonly JsonEncodedText Partition = JsonEncodedText.Encode("partition");
    private static readonly JsonEncodedText NextOffset = JsonEncodedText.Encode("nextOffset");
    private static readonly JsonEncodedText AgeSeconds = JsonEncodedText.Encode("ageSeconds");

    /// <summary>Writes it to the work's own buffer.</summary>
    public static void Write(PredictWork work, ServingModel serving, bool explain)
    {
        var json = work.NewAnswer(serving.Variant, WriteHead);
        for (var row = 0; row < work.Count; row++)
        {
            WriteRow(json, work, row, explain);
            work.EndRow(isLast: row == work.Count - 1);
        }

        if (work.Count == 0)
            work.EndEmpty();
    }

    /// <summary>An answer without rows: the rows are put before its end.</summary>
    private static void WriteHead(Utf8JsonWriter json, LoadedModel model, string variant)
    {
        json.WriteStartObject();
        json.WriteString("model", model.Version.Name);
        json.WriteString("version", model.Version.Version);
        json.WriteString("variant", variant);
        json.WriteString("service", model.Service.Program.Name);
        json.WriteString("hash", model.Service.Program.Hash);
        if (model.Threshold is { } threshold)
            json.WriteNumber("threshold", threshold);
        if (model.Classes.Count > 0)
            WriteTexts(json, "classes", model.Classes);
        json.WriteStartArray("predictions");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter json, PredictWork work, int row, bool explain)
    {
        json.WriteStartObject();
        if (work.Score(row) is { } problem)
            WriteProblem(json, problem);
        else
            WriteScore(json, work, row, explain);
        json.WriteEndObject();
    }

    private static void WriteScore(Utf8JsonWriter json, PredictWork work, int row, bool explain)
    {
        var session = work.Session;
        json.WriteString(Id, RequestId.Of(work, row));
        JsonValues.WriteNumber(json, "score", session.Row.Score);
        json.WriteString(Decision, session.Row.Decision);
        if (session.Row.Scores.Length > 1)
        {
            json.WriteStartArray("scores");
            foreach (var score in session.Row.Scores)
                JsonValues.WriteDouble(json, score);
            json.WriteEndArray();
        }

        WriteTexts(json, "flags", session.Row.Flags);
        JsonValues.WriteKnownTime(json, "asOf", work.Read.AsOfUs(row));
        json.WriteStartArray(Views);
        for (var view = 0; view < work.Model.Service.Views.Count; view++)
            WriteView(json, work.Model.Service.Views[view], work.Read.Answer(row, view));
        json.WriteEndArray();
        if (explain)
            WriteExplanation(json, session);
    }

    private static void WriteView(Utf8JsonWriter json, ServedView view, in ViewAnswer answer)
    {
        json.WriteStartObject();
        json.WriteString(View, view.Name);
        json.WriteNumber(Partition, answer.Partition);
        json.WriteNumber(NextOffset, answer.NextOffset);
        JsonValues.WriteTime(json, "watermark", answer.WatermarkUs);
        if (answer.AgeUs is { } ageUs)
            json.WriteNumber(AgeSeconds, ageUs / (double)TimeGrid.MicrosPerSecond);
        else
            json.WriteNull(AgeSeconds);
        json.WriteEndObject();
    }

    private static void WriteExplanation(Utf8JsonWriter json, ModelSession session)
    {
        if (session.Explain() is not { } explanation)
        {
            json.WriteNull("explanation");
            return;
        }

        json.WriteStartObject("explanation");
        json.WriteString("space", explanation.Space);
        JsonValues.WriteNumber(json, "base", explanation.BaseValue);
        JsonValues.WriteNumber(json, "total", explanation.Total);
        json.WriteStartArray("contributions");
        for (var input = 0; input < session.Model.Inputs.Count; input++)
        {
            json.WriteStartObject();
            json.WriteString("input", session.Model.Inputs[input].Name);
            json.WritePropertyName("value");
            JsonValues.Write(json, session.Row.Vector, input, session.Model.Inputs[input].Type);
            JsonValues.WriteNumber(json, "contribution", explanation.Contributions[input]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void WriteProblem(Utf8JsonWriter json, ApiProblem problem)
    {
        json.WriteStartObject("error");
        json.WriteString("code", problem.Code);
        json.WriteString("detail", problem.Detail);
        json.WriteString("remedy", problem.Remedy);
        if (problem.Value is not null)
            json.WriteString("value", problem.Value);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
