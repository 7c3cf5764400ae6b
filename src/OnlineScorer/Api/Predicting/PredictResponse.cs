using System.Text.Json;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>Scores the rows of a request and writes the answer: which model made it, then per row score, decision, flags and where each view's values come from, or what is wrong.</summary>
internal static class PredictResponse
{
    /// <summary>Writes it to the work's own buffer.</summary>
    public static void Write(PredictWork work, ServingModel serving, bool explain)
    {
        var json = work.NewAnswer();
        var model = work.Model;
        json.WriteStartObject();
        json.WriteString("model", model.Version.Name);
        json.WriteString("version", model.Version.Version);
        json.WriteString("variant", serving.Variant);
        json.WriteString("service", model.Service.Program.Name);
        json.WriteString("hash", model.Service.Program.Hash);
        if (model.Threshold is { } threshold)
            json.WriteNumber("threshold", threshold);
        if (model.Classes.Count > 0)
            WriteTexts(json, "classes", model.Classes);
        json.WriteStartArray("predictions");
        for (var row = 0; row < work.Count; row++)
            WriteRow(json, work, row, explain);
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
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
        json.WriteString("id", RequestId.Of(work, row));
        JsonValues.WriteNumber(json, "score", session.Score);
        json.WriteString("decision", session.Decision);
        if (session.Scores.Length > 1)
        {
            json.WriteStartArray("scores");
            foreach (var score in session.Scores)
                JsonValues.WriteDouble(json, score);
            json.WriteEndArray();
        }

        WriteTexts(json, "flags", session.Flags);
        JsonValues.WriteKnownTime(json, "asOf", work.Read.AsOfUs(row));
        json.WriteStartArray("views");
        for (var view = 0; view < work.Model.Service.Views.Count; view++)
            WriteView(json, work.Model.Service.Views[view], work.Read.Answer(row, view));
        json.WriteEndArray();
        if (explain)
            WriteExplanation(json, session);
    }

    private static void WriteView(Utf8JsonWriter json, ServedView view, in ViewAnswer answer)
    {
        json.WriteStartObject();
        json.WriteString("view", view.Name);
        json.WriteNumber("partition", answer.Partition);
        json.WriteNumber("nextOffset", answer.NextOffset);
        JsonValues.WriteTime(json, "watermark", answer.WatermarkUs);
        if (answer.AgeUs is { } ageUs)
            json.WriteNumber("ageSeconds", ageUs / (double)TimeGrid.MicrosPerSecond);
        else
            json.WriteNull("ageSeconds");
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
            JsonValues.Write(json, session.Vector, input, session.Model.Inputs[input].Type);
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
