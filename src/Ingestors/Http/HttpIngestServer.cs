using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Confluent.Kafka;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Http;

/// <summary>The answer to a request with records.</summary>
/// <param name="Accepted">Records that are in the topic.</param>
/// <param name="Rejected">Records that are in the dead-letter topic.</param>
/// <param name="Results">One for each record, in their order.</param>
public sealed record IngestAnswer(int Accepted, int Rejected, IReadOnlyList<RecordResult> Results);

/// <summary>
/// <c>POST /v1/events/{source}</c> takes one JSON object, an array of them or NDJSON, and answers when they are delivered: 202 where at least one was accepted,
/// 400 where none was (the results say why), 404 for an unknown source, 413 for too much in one request, 429 where too much is under way, 503 where Kafka
/// does not take it. A request without <c>Idempotency-Key</c> that is sent again is taken again; with one, an answer that this process remembers is
/// repeated. <c>GET /health</c>.
/// </summary>
public sealed partial class HttpIngestServer(
    Catalog catalog, KafkaEndpoint kafka, SchemaRegistryClient registry, IOptions<HttpIngestOptions> options, TimeProvider time, ILogger<HttpIngestServer> logger) : IHostedService, IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly Dictionary<string, EventIntake> intakes = new(StringComparer.Ordinal);
    private readonly EventPublisher publisher = new(kafka);
    private readonly IdempotencyMemory memory = new(options.Value.IdempotencyKeysMax);
    private WebApplication? web;
    private long inFlightBytes;

    /// <summary>Where it listens, after the start.</summary>
    public string Url => web!.Urls.First();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var admin = new TopicAdmin(kafka);
        foreach (var source in catalog.Sources)
        {
            await admin.EnsureTopicAsync(source.Topic, source.Partitions, cancellationToken);
            await admin.EnsureTopicAsync(LogNames.DeadLetterTopic(source.Topic), source.Partitions, cancellationToken);
            intakes[source.Name] = new EventIntake(source, await registry.RegisterAsync($"{source.Topic}-value", source.AvroSchema, cancellationToken));
        }

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(options.Value.Url).ConfigureKestrel(k => k.Limits.MaxRequestBodySize = options.Value.BodyMaxBytes);
        builder.Services.AddRoutingCore();
        web = builder.Build();
        web.UseRouting();
        web.MapPost("/v1/events/{source}", PostAsync);
        web.MapGet("/health", context => AnswerAsync(context, publisher.Failure is null ? 200 : 503, new { status = publisher.Failure ?? "ok" }));
        await web.StartAsync(cancellationToken);
        Listening(logger, Url);
    }

    public Task StopAsync(CancellationToken cancellationToken) => web?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (web is not null)
            await web.DisposeAsync();
        await publisher.DisposeAsync();
    }

    private async Task PostAsync(HttpContext context)
    {
        var arrivalTimeUs = TimeGrid.FromDateTime(time.GetUtcNow().UtcDateTime);
        var name = (string)context.Request.RouteValues["source"]!;
        if (!intakes.TryGetValue(name, out var intake))
        {
            await RefuseAsync(context, 404, $"there is no source '{name}'; there are {string.Join(", ", intakes.Keys)}");
            return;
        }

        var declared = context.Request.ContentLength ?? options.Value.BodyMaxBytes;
        if (declared > options.Value.BodyMaxBytes)
        {
            await RefuseAsync(context, 413, $"the body has {declared} bytes and at most {options.Value.BodyMaxBytes} are taken; send it in parts");
            return;
        }

        // What is alone always passes, however large it is.
        if (Interlocked.Add(ref inFlightBytes, declared) is var now && now > options.Value.InFlightMaxBytes && now > declared)
        {
            Interlocked.Add(ref inFlightBytes, -declared);
            context.Response.Headers.RetryAfter = "1";
            await RefuseAsync(context, 429, $"{now - declared} bytes of requests are under way and at most {options.Value.InFlightMaxBytes} may be; send it again in a second");
            return;
        }

        try
        {
            await TakeAsync(context, intake, arrivalTimeUs);
        }
        finally
        {
            Interlocked.Add(ref inFlightBytes, -declared);
        }
    }

    private async Task TakeAsync(HttpContext context, EventIntake intake, long arrivalTimeUs)
    {
        try
        {
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
            var body = buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
            var ranges = RequestRecords.Split(body.Span, IsLines(context.Request.ContentType), out var problem);
            if (ranges is null)
                await RefuseAsync(context, 400, problem!);
            else if (ranges.Count > options.Value.RecordsMax)
                await RefuseAsync(context, 413, $"the request has {ranges.Count} records and at most {options.Value.RecordsMax} are taken; send them in parts");
            else
                await PublishAsync(context, intake, body, ranges, arrivalTimeUs);
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(context, e.StatusCode, e.StatusCode == 413 ? $"the body has more than {options.Value.BodyMaxBytes} bytes; send it in parts" : e.Message);
        }
        catch (KafkaException e)
        {
            KafkaFailed(logger, e, intake.Source.Topic);
            context.Response.Headers.RetryAfter = "1";
            await RefuseAsync(context, 503, $"Kafka did not take all records: {e.Error.Reason}; send the request again, with the same Idempotency-Key");
        }
    }

    private async Task PublishAsync(HttpContext context, EventIntake intake, ReadOnlyMemory<byte> body, List<Range> ranges, long arrivalTimeUs)
    {
        var key = context.Request.Headers["Idempotency-Key"].FirstOrDefault() is { Length: > 0 } given ? $"{intake.Source.Name}\n{given}" : null;
        // Not cancelled with the request: what is half sent is better finished and remembered.
        var answer = await memory.GetAsync(key, async () =>
        {
            var results = await publisher.PublishAsync(intake, body, ranges, arrivalTimeUs, CancellationToken.None);
            var accepted = results.Count(r => r.Error is null);
            return new IngestAnswer(accepted, results.Length - accepted, results);
        });
        await AnswerAsync(context, answer.Accepted > 0 || answer.Results.Count == 0 ? 202 : 400, answer);
    }

    private static bool IsLines(string? contentType) =>
        contentType is not null && (contentType.Contains("ndjson", StringComparison.OrdinalIgnoreCase) || contentType.Contains("jsonl", StringComparison.OrdinalIgnoreCase));

    private static Task RefuseAsync(HttpContext context, int status, string error) => AnswerAsync(context, status, new { error });

    private static Task AnswerAsync<T>(HttpContext context, int status, T answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, answer, Json, context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Events are taken at {Url}/v1/events/{{source}}")]
    private static partial void Listening(ILogger logger, string url);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Topic}: Kafka did not take all records of a request")]
    private static partial void KafkaFailed(ILogger logger, Exception error, string topic);
}
