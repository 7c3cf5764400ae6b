using System.Text.Json;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Api;

/// <summary>A request that cannot be answered: what was found, the limit where there is one, and what to do. Sent as application/problem+json (RFC 9457).</summary>
internal sealed class ApiProblem(int status, string code, string detail, string remedy, string? value = null, string? limit = null)
    : Exception($"{detail}. {remedy}.")
{
    public int Status { get; } = status;

    /// <summary>The machine-readable kind: the problem's type is <c>urn:streamml:CODE</c>.</summary>
    public string Code { get; } = code;

    public string Detail { get; } = detail;

    public string Remedy { get; } = remedy;

    public string? Value { get; } = value;

    public string? Limit { get; } = limit;

    /// <summary>The problem that an exception is for a caller; null: a fault of this server.</summary>
    public static ApiProblem? From(Exception error) => error switch
    {
        ApiProblem problem => problem,
        ViewNotReadyException e => new(503, "view-not-ready", e.Message, "retry once a stream worker with this definition has run", e.Hash8),
        TornReadException e => new(503, "torn-read", e.Message, "retry"),
        StoreUnavailableException e => new(503, "store-unavailable", e.Message, "retry; GET /readyz says when the store is back"),
        JsonException e => new(400, "bad-json", $"the body is not JSON: {e.Message}", "send an object: /v1/features takes 'service' or 'features', and 'entities'; /v1/predict takes 'model' and 'rows'"),
        BadHttpRequestException e => new(e.StatusCode, "bad-request", e.Message, "see the server's limits: GET /v1/services"),
        _ => null,
    };

    public async Task WriteAsync(HttpResponse response)
    {
        response.StatusCode = Status;
        response.ContentType = "application/problem+json";
        if (Status == 503)
            response.Headers.RetryAfter = "1";
        await using var json = new Utf8JsonWriter(response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("type", $"urn:streamml:{Code}");
        json.WriteString("title", Code.Replace('-', ' '));
        json.WriteNumber("status", Status);
        json.WriteString("detail", Detail);
        json.WriteString("remedy", Remedy);
        if (Value is not null)
            json.WriteString("value", Value);
        if (Limit is not null)
            json.WriteString("limit", Limit);
        json.WriteEndObject();
    }
}
