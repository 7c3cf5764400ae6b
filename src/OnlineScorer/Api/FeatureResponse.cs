using System.Buffers;
using System.Text.Json;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Api;

/// <summary>Writes the answer to <c>POST /v1/features</c>: names and types once, then per entity the values and where those of each view come from.</summary>
internal static class FeatureResponse
{
    public static void Write(IBufferWriter<byte> output, ReadBatch batch)
    {
        using var json = new Utf8JsonWriter(output);
        var program = batch.Service.Program;
        json.WriteStartObject();
        json.WriteString("service", program.Name);
        json.WriteString("hash", program.Hash);
        json.WriteStartArray("names");
        foreach (var column in program.Columns)
            json.WriteStringValue(column.FullName);
        json.WriteEndArray();
        json.WriteStartArray("types");
        foreach (var column in program.Columns)
            json.WriteStringValue(JsonValues.TypeName(column.Type));
        json.WriteEndArray();
        json.WriteStartArray("rows");
        for (var i = 0; i < batch.Count; i++)
            WriteRow(json, batch, i);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter json, ReadBatch batch, int request)
    {
        var program = batch.Service.Program;
        json.WriteStartObject();
        json.WriteStartObject("entity");
        for (var slot = 0; slot < program.Keys.Count; slot++)
        {
            json.WritePropertyName(program.Keys[slot].Name);
            if (!batch.TryGetKey(request, slot, out var text))
                json.WriteNullValue();
            else if (program.Keys[slot].Type == FieldType.String)
                json.WriteStringValue(text);
            else
                json.WriteRawValue(text); // canonical integers and booleans are JSON already
        }

        json.WriteEndObject();
        json.WriteString("asOf", TimeGrid.Format(batch.AsOfUs(request)));
        json.WriteStartArray("values");
        for (var column = 0; column < program.Columns.Count; column++)
            JsonValues.Write(json, batch.Row(request), column, program.Columns[column].Type);
        json.WriteEndArray();
        json.WriteStartArray("views");
        for (var view = 0; view < batch.Service.Views.Count; view++)
            WriteView(json, batch.Service.Views[view], batch.Answer(request, view));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteView(Utf8JsonWriter json, ServedView view, in ViewAnswer answer)
    {
        json.WriteStartObject();
        json.WriteString("view", view.Name);
        json.WriteString("definition", view.Hash8);
        json.WriteString("log", view.Log);
        if (answer.Partition == ViewAnswer.NoPartition)
        {
            json.WriteNull("partition");
        }
        else
        {
            json.WriteNumber("partition", answer.Partition);
            json.WriteNumber("nextOffset", answer.NextOffset);
            if (answer.FromOffset > 0)
                json.WriteNumber("fromOffset", answer.FromOffset);
        }

        JsonValues.WriteTime(json, "watermark", answer.WatermarkUs);
        JsonValues.WriteTime(json, "effectiveTime", answer.Read.EffectiveTimeUs);
        json.WriteBoolean("shifted", answer.IsShifted);
        if (answer.AgeUs is { } ageUs)
        {
            JsonValues.WriteTime(json, "newestEvent", answer.Read.NewestEventTimeUs);
            json.WriteNumber("ageSeconds", ageUs / (double)TimeGrid.MicrosPerSecond);
        }
        else
        {
            json.WriteNull("newestEvent");
            json.WriteNull("ageSeconds");
        }

        WriteCoverage(json, view, answer);
        json.WriteEndObject();
    }

    // The least coverage, then the windows that are not wholly covered: 7d of a system that is two days old, lifetime of one that
    // began on a log whose beginning was gone.
    private static void WriteCoverage(Utf8JsonWriter json, ServedView view, in ViewAnswer answer)
    {
        var windows = view.View.Windows;
        var lifetime = view.View.HasLifetime ? answer.LifetimeCoverage : 1;
        json.WriteNumber("coverage", Math.Min(lifetime, windows.Count == 0 ? 1 : windows[^1].Coverage(answer.Read.EffectiveTimeUs, answer.FirstEventTimeUs)));
        json.WriteStartObject("partialWindows");
        foreach (var window in windows)
        {
            var covered = window.Coverage(answer.Read.EffectiveTimeUs, answer.FirstEventTimeUs);
            if (covered < 1)
                json.WriteNumber(window.Label, Math.Round(covered, 6));
        }

        if (lifetime < 1)
            json.WriteNumber("lifetime", Math.Round(lifetime, 6));

        json.WriteEndObject();
    }
}
