using System.Net.Http.Headers;
using System.Text.Json;

namespace StreamMl.Shared.Client;

/// <summary>
/// A client of the feature query API and the scorer. Thread-safe; keep one per process. It neither retries nor caches: set the timeout on the
/// <see cref="HttpClient"/>, which stays the caller's to dispose of.
/// <code>
/// var client = new StreamMlClient(new HttpClient { BaseAddress = new Uri("http://127.0.0.1:8088") });
/// var jfk = await client.GetFeaturesAsync("arrival_delay", new Dictionary&lt;string, object?&gt; { ["origin"] = "JFK" });
/// double? delay = jfk.GetDouble("origin_landed.mean_arr_delay_1h");
/// </code>
/// </summary>
public sealed class StreamMlClient(HttpClient http)
{
    /// <summary>The features of one entity.</summary>
    /// <param name="service">Name of a service of the catalogue.</param>
    /// <param name="entity">The service's keys: strings, integers, booleans, or null for a key that is not known.</param>
    /// <param name="asOf">Null: now.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StreamMlException">The server refused it, and says why.</exception>
    public async Task<FeatureVector> GetFeaturesAsync(
        string service, IReadOnlyDictionary<string, object?> entity, FeatureTime? asOf = null, CancellationToken cancellationToken = default) =>
        (await GetFeaturesAsync(service, [entity], asOf, cancellationToken).ConfigureAwait(false))[0];

    /// <summary>The features of any number of entities, in one request and their order.</summary>
    public Task<IReadOnlyList<FeatureVector>> GetFeaturesAsync(
        string service, IReadOnlyList<IReadOnlyDictionary<string, object?>> entities, FeatureTime? asOf = null, CancellationToken cancellationToken = default) =>
        PostAsync(json => json.WriteString("service", service), entities, asOf, cancellationToken);

    /// <summary>Single features, as <c>view.feature</c> or <c>view.*</c>, of any number of entities.</summary>
    public Task<IReadOnlyList<FeatureVector>> GetFeatureListAsync(
        IReadOnlyList<string> features, IReadOnlyList<IReadOnlyDictionary<string, object?>> entities, FeatureTime? asOf = null, CancellationToken cancellationToken = default) =>
        PostAsync(json => WriteNames(json, features), entities, asOf, cancellationToken);

    /// <summary>The prediction for one row.</summary>
    /// <param name="model">A name (its champion), name@alias or name@version; null: the only champion that serves.</param>
    /// <param name="row">The service's keys and the model's request-time inputs: strings, integers, doubles, booleans, DateTime, or null for what is not known.</param>
    /// <param name="asOf">Null: now.</param>
    /// <param name="explain">Contributions too.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StreamMlException">The server refused it, and says why.</exception>
    public async Task<PredictionResult> PredictAsync(
        string? model, IReadOnlyDictionary<string, object?> row, FeatureTime? asOf = null, bool explain = false, CancellationToken cancellationToken = default) =>
        (await PredictAsync(model, [row], asOf, explain, cancellationToken).ConfigureAwait(false))[0];

    /// <summary>Predictions for any number of rows, in one request and their order. A row that is not scored has an error.</summary>
    public async Task<IReadOnlyList<PredictionResult>> PredictAsync(
        string? model, IReadOnlyList<IReadOnlyDictionary<string, object?>> rows, FeatureTime? asOf = null, bool explain = false, CancellationToken cancellationToken = default)
    {
        using var answer = await PostAsync("v1/predict", Body("rows", json =>
        {
            if (model is not null)
                json.WriteString("model", model);
            json.WriteBoolean("explain", explain);
        }, rows, asOf), cancellationToken).ConfigureAwait(false);
        return PredictionResult.ReadAll(answer.RootElement);
    }

    private async Task<IReadOnlyList<FeatureVector>> PostAsync(
        Action<Utf8JsonWriter> what, IReadOnlyList<IReadOnlyDictionary<string, object?>> entities, FeatureTime? asOf, CancellationToken cancellationToken)
    {
        using var answer = await PostAsync("v1/features", Body("entities", what, entities, asOf), cancellationToken).ConfigureAwait(false);
        return FeatureVector.ReadAll(answer.RootElement);
    }

    private async Task<JsonDocument> PostAsync(string path, byte[] body, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await http.PostAsync(new Uri(path, UriKind.Relative), content, cancellationToken).ConfigureAwait(false);
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        return response.IsSuccessStatusCode ? JsonDocument.Parse(bytes) : throw StreamMlException.Of((int)response.StatusCode, bytes);
    }

    private static byte[] Body(string list, Action<Utf8JsonWriter> what, IReadOnlyList<IReadOnlyDictionary<string, object?>> entities, FeatureTime? asOf)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            what(json);
            json.WriteStartArray(list);
            foreach (var entity in entities)
                WriteEntity(json, entity);
            json.WriteEndArray();
            if (asOf is { } time)
                json.WriteString("asOf", time.ToString());
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteNames(Utf8JsonWriter json, IReadOnlyList<string> features)
    {
        json.WriteStartArray("features");
        foreach (var feature in features)
            json.WriteStringValue(feature);
        json.WriteEndArray();
    }

    private static void WriteEntity(Utf8JsonWriter json, IReadOnlyDictionary<string, object?> entity)
    {
        json.WriteStartObject();
        foreach (var (name, value) in entity)
        {
            json.WritePropertyName(name);
            switch (value)
            {
                case null: json.WriteNullValue(); break;
                case string text: json.WriteStringValue(text); break;
                case bool flag: json.WriteBooleanValue(flag); break;
                case int number: json.WriteNumberValue(number); break;
                case long number: json.WriteNumberValue(number); break;
                case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
                case double number: json.WriteStringValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity"); break;
                case DateTime time: json.WriteNumberValue(Time.TimeGrid.FromDateTime(time.ToUniversalTime())); break;
                default: throw new ArgumentException($"'{name}' is a {value.GetType().Name}; send a string, int, long, double, bool, DateTime or null", nameof(entity));
            }
        }

        json.WriteEndObject();
    }
}

/// <summary>The time that a read asks for.</summary>
public readonly record struct FeatureTime
{
    private readonly string? text;

    private FeatureTime(string text) => this.text = text;

    /// <summary>The server's clock. Also what the default value means.</summary>
    public static FeatureTime Now { get; } = new("now");

    /// <summary>The greatest watermark of the positions that are read: for replays of the past, where the clock is far ahead of the data.</summary>
    public static FeatureTime Latest { get; } = new("latest");

    /// <param name="utc">Local times are converted.</param>
    public static FeatureTime At(DateTime utc) => new(Time.TimeGrid.Format(Time.TimeGrid.FromDateTime(utc.ToUniversalTime())));

    public override string ToString() => text ?? "now";
}
