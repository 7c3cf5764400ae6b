using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StreamMl.Infrastructure.Registry;

/// <summary>
/// Asks a schema registry, Confluent's or the embedded one. What can not change is remembered: the schema of an id, and the id of a
/// registered schema. Lost connections and answers of 5xx are tried again a few times. Thread-safe.
/// </summary>
public sealed class SchemaRegistryClient : IDisposable
{
    private const string ContentType = "application/vnd.schemaregistry.v1+json";
    private const int Attempts = 4;

    /// <summary>Ids are read from records: a stream of bad ones must not fill the memory.</summary>
    private const int MaxRemembered = 10_000;

    private readonly HttpClient http;
    private readonly TimeProvider time;
    private readonly ConcurrentDictionary<int, string> schemas = new();
    private readonly ConcurrentDictionary<(string Subject, string Schema), int> ids = new();

    /// <param name="url">The registry's base address; user and password in it are sent as basic authentication.</param>
    /// <param name="time">For the waits between attempts; null for the system's.</param>
    /// <param name="handler">For tests and certificates; null for the system's. Disposed with this client.</param>
    public SchemaRegistryClient(string url, TimeProvider? time = null, HttpMessageHandler? handler = null)
    {
        var address = new Uri(url.TrimEnd('/') + "/");
        this.time = time ?? TimeProvider.System;
        http = new HttpClient(handler ?? new SocketsHttpHandler(), disposeHandler: true) { BaseAddress = Bare(address), Timeout = TimeSpan.FromSeconds(10) };
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue(ContentType));
        if (address.UserInfo.Length > 0)
        {
            string secret = Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(address.UserInfo)));
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", secret);
        }

        Url = Bare(address).ToString();
    }

    /// <summary>The base address, without any secret.</summary>
    public string Url { get; }

    /// <summary>The schema that was registered with this id.</summary>
    /// <exception cref="RegistryException">40403: there is none.</exception>
    /// <exception cref="HttpRequestException">The registry can not be reached.</exception>
    public async ValueTask<string> GetSchemaAsync(int id, CancellationToken cancellationToken)
    {
        if (schemas.TryGetValue(id, out string? known)) return known;
        var answer = await SendAsync(HttpMethod.Get, $"schemas/ids/{id}", null, cancellationToken);
        return Remember(schemas, id, (string)answer["schema"]!);
    }

    /// <summary>True where the schema of this id was read before: no call is made.</summary>
    public bool TryGetSchema(int id, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? schema) => schemas.TryGetValue(id, out schema);

    /// <summary>Registers the schema as the subject's next version, unless it is one already; answers its id.</summary>
    /// <exception cref="RegistryException">409: incompatible with what the subject has; 42201: not a schema.</exception>
    public async ValueTask<int> RegisterAsync(string subject, string schema, CancellationToken cancellationToken)
    {
        if (ids.TryGetValue((subject, schema), out int known)) return known;
        var body = new JsonObject { ["schema"] = schema };
        var answer = await SendAsync(HttpMethod.Post, $"subjects/{Uri.EscapeDataString(subject)}/versions", body, cancellationToken);
        return Remember(ids, (subject, schema), (int)answer["id"]!);
    }

    /// <summary>The subject's latest version; null where there is no such subject. Always asked anew.</summary>
    public async Task<RegisteredSchema?> LatestAsync(string subject, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await SendAsync(HttpMethod.Get, $"subjects/{Uri.EscapeDataString(subject)}/versions/latest", null, cancellationToken);
            var latest = new RegisteredSchema((string)answer["subject"]!, (int)answer["version"]!, (int)answer["id"]!, (string)answer["schema"]!);
            Remember(schemas, latest.Id, latest.Schema);
            return latest;
        }
        catch (RegistryException e) when (e.ErrorCode is 40401 or 40402)
        {
            return null;
        }
    }

    /// <summary>Why this schema could not be the subject's next version under its level; empty where it could, or the subject is new.</summary>
    public async Task<IReadOnlyList<string>> CheckCompatibilityAsync(string subject, string schema, CancellationToken cancellationToken)
    {
        try
        {
            var body = new JsonObject { ["schema"] = schema };
            var answer = await SendAsync(
                HttpMethod.Post, $"compatibility/subjects/{Uri.EscapeDataString(subject)}/versions/latest?verbose=true", body, cancellationToken);
            if ((bool)answer["is_compatible"]!) return [];
            var messages = answer["messages"] is JsonArray list ? list.Select(m => m!.ToString()).ToList() : [];
            return messages.Count > 0 ? messages : [$"The registry finds it incompatible with the latest version of '{subject}', and does not say why."];
        }
        catch (RegistryException e) when (e.ErrorCode is 40401 or 40402)
        {
            return [];
        }
    }

    public void Dispose() => http.Dispose();

    private static Uri Bare(Uri address) => new UriBuilder(address) { UserName = "", Password = "" }.Uri;

    private static TValue Remember<TKey, TValue>(ConcurrentDictionary<TKey, TValue> memory, TKey key, TValue value)
        where TKey : notnull
    {
        if (memory.Count < MaxRemembered) memory[key] = value;
        return value;
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                using var request = new HttpRequestMessage(method, path);
                if (body is not null) request.Content = JsonContent.Create(body, new MediaTypeHeaderValue(ContentType));
                using var response = await http.SendAsync(request, cancellationToken);
                if ((int)response.StatusCode >= 500 && attempt < Attempts) throw new HttpRequestException($"{path}: HTTP {(int)response.StatusCode}");
                return await ReadAsync(response, path, cancellationToken);
            }
            catch (Exception e) when (e is (HttpRequestException or TaskCanceledException) && attempt < Attempts && !cancellationToken.IsCancellationRequested)
            {
                // All calls are idempotent: a schema that is registered already answers the same id.
                await Task.Delay(TimeSpan.FromMilliseconds(100 << attempt), time, cancellationToken);
            }
        }
    }

    private async Task<JsonNode> ReadAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        string text = await response.Content.ReadAsStringAsync(cancellationToken);
        JsonNode? json = null;
        try
        {
            json = JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            // A proxy's page; what it is stands in the message below.
        }

        if (response.IsSuccessStatusCode && json is not null) return json;
        if (json is JsonObject && json["error_code"] is { } code) throw new RegistryException((int)code, (string?)json["message"] ?? "no message");
        throw new RegistryException((int)response.StatusCode,
            $"{Url}{path} answered HTTP {(int)response.StatusCode} with {text.Length} characters that are no registry's answer; is this the address of a schema registry?");
    }
}
