using System.Buffers;
using System.Text.Json;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>The HTTP face of the scorer. Thread-safe.</summary>
internal sealed class PredictApi(ModelHost host, FeatureReader reader, ScoringOptions options, TimeProvider time, ApiGuard guard)
{
    /// <summary>A body up to this is taken from the connection's own buffer.</summary>
    private const int MaxPipedBody = 64 << 10;

    private readonly ReadCombiner combiner = new(reader);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/predict", guard.Handle(PredictAsync));
        routes.MapGet("/v1/models", guard.Handle(c => ApiGuard.SendAsync(c.Response, WriteModels)));
    }

    private async Task PredictAsync(HttpContext context)
    {
        // The model is taken once: what is swapped in meanwhile serves the next request.
        var (work, serving, explain) = await ParseAsync(context);
        await combiner.ReadAsync(work.Read, context.RequestAborted);
        // Written whole before the first byte is sent, so that a failure can still be a problem with its own status.
        PredictResponse.Write(work, serving, explain);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = work.Answer.Length;
        await context.Response.Body.WriteAsync(work.Answer, context.RequestAborted);
        ServingMetrics.Requested.Add(work.Count, new KeyValuePair<string, object?>("model", serving.Model.Version.Name));
        work.Return();
    }

    private async ValueTask<(PredictWork Work, ServingModel Serving, bool Explain)> ParseAsync(HttpContext context)
    {
        if (context.Request.ContentLength is not <= MaxPipedBody)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            return PredictRequest.Parse(new ReadOnlySequence<byte>(body.GetBuffer(), 0, (int)body.Length), host, options, time);
        }

        var pipe = context.Request.BodyReader;
        var read = await pipe.ReadAsync(context.RequestAborted);
        while (!read.IsCompleted)
        {
            pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await pipe.ReadAsync(context.RequestAborted);
        }

        try
        {
            return PredictRequest.Parse(read.Buffer, host, options, time);
        }
        finally
        {
            pipe.AdvanceTo(read.Buffer.End);
        }
    }

    private void WriteModels(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteStartArray("serving");
        foreach (var serving in host.Serving)
            WriteModel(json, serving);
        json.WriteEndArray();
        json.WriteStartArray("refused");
        foreach (var refused in host.Refused)
        {
            json.WriteStartObject();
            json.WriteString("model", refused.Name);
            json.WriteString("alias", refused.Alias);
            json.WriteString("version", refused.Version);
            json.WriteString("reason", refused.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, ServingModel serving)
    {
        var model = serving.Model;
        json.WriteStartObject();
        json.WriteString("model", model.Version.Name);
        json.WriteString("version", model.Version.Version);
        json.WriteString("variant", serving.Variant);
        json.WriteString("task", model.Code.Task.ToString());
        json.WriteString("service", model.Service.Program.Name);
        if (model.Threshold is { } threshold)
            json.WriteNumber("threshold", threshold);
        json.WriteStartArray("keys");
        foreach (var key in model.Service.Program.Keys)
            json.WriteStringValue(key.Name);
        json.WriteEndArray();
        json.WriteStartArray("inputs");
        foreach (var input in model.Inputs)
        {
            json.WriteStartObject();
            json.WriteString("name", input.Name);
            json.WriteString("type", JsonValues.TypeName(input.Type));
            json.WriteString("origin", input.Origin == ModelEngine.InputOrigin.Stored ? "stored" : "request");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
