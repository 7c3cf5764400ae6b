using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace StreamMl.Shared.Definitions;

/// <summary>
/// The one text of a definition, whatever it was written in, and its hash. What does not change a value (locations, order of views, docs)
/// is not in it. Two definitions with one hash compute the same bytes. Pure; thread-safe.
/// </summary>
public static class CanonicalForm
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The view with what it takes from its source, as compact JSON.</summary>
    public static string Of(ViewDefinition view, SourceDefinition source) => Write(json =>
    {
        json.WriteString("view", view.Name);
        json.WriteString("topic", source.Topic);
        json.WriteString("eventTime", source.EventTimeField);
        json.WriteNumber("maxFutureSkewMs", (long)source.MaxFutureSkew.TotalMilliseconds);
        WriteList(json, "key", view.KeyFields);
        if (view.Filter is not null)
            json.WriteString("filter", view.Filter);
        json.WriteStartObject("derive");
        foreach (var column in view.Derive)
            json.WriteString(column.Name, column.Expression);
        json.WriteEndObject();
        json.WriteNumber("allowedLatenessMs", (long)view.AllowedLateness.TotalMilliseconds);
        if (view.Hop is { } hop)
            json.WriteString("hop", Durations.Format(hop));
        if (view.IdleLimit is { } idle)
            json.WriteString("idleLimit", Durations.Format(idle));
        json.WriteStartObject("features");
        foreach (var feature in view.Features.OrderBy(f => f.Name, StringComparer.Ordinal))
            json.WriteString(feature.Name, $"{feature.Aggregation} over {feature.Window.Label}");
        json.WriteEndObject();
    });

    /// <summary>The service: its features in order, each with its view's hash, as compact JSON.</summary>
    public static string Of(ServiceDefinition service, Catalog catalog) => Write(json =>
    {
        json.WriteString("service", service.Name);
        if (service.Trigger is not null)
            json.WriteString("trigger", service.Trigger);
        json.WriteNumber("servingDelayMs", (long)service.ServingDelay.TotalMilliseconds);
        WriteList(json, "features", service.Features.Select(f => f.ToString()));
        json.WriteStartObject("views");
        foreach (var name in service.Features.Select(f => f.View).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var view = catalog.View(name);
            json.WriteString(name, Hash(Of(view, catalog.Source(view.Source))));
        }

        json.WriteEndObject();
    });

    /// <summary>SHA-256 of a canonical form, as lower-case hex.</summary>
    public static string Hash(string canonical) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));

    /// <summary>The first 8 hex digits of a view's hash: the version in store keys.</summary>
    public static string ViewHash8(ViewDefinition view, SourceDefinition source) => Hash(Of(view, source))[..8];

    public static string ServiceHash(ServiceDefinition service, Catalog catalog) => Hash(Of(service, catalog));

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static string Write(Action<Utf8JsonWriter> body)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartObject();
            body(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
