using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace StreamMl.Infrastructure.Registry;

/// <summary>Confluent's REST interface over the state: the part that clients ask for. Any Accept header and unknown parameters pass.</summary>
internal sealed class RegistryRoutes(RegistryState state)
{
    private const string ContentType = "application/vnd.schemaregistry.v1+json";

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/", Answer(_ => new JsonObject()));
        MapSubjects(app);
        MapSchemas(app);
        MapConfig(app);
        app.MapPost("/compatibility/subjects/{subject}/versions/{version}", AnswerBody((r, body) => Check(r, body, Version(r))));
        app.MapPost("/compatibility/subjects/{subject}/versions", AnswerBody((r, body) => Check(r, body, null)));
        app.MapGet("/contexts", Answer(_ => new JsonArray(".")));
        app.MapGet("/mode", Answer(_ => new JsonObject { ["mode"] = "READWRITE" }));
        app.MapGet("/mode/{subject}", Answer(r => Flag(r, "defaultToGlobal")
            ? new JsonObject { ["mode"] = "READWRITE" }
            : throw new RegistryException(40409, $"Subject '{Subject(r)}' does not have subject-level mode configured")));

        // Confluent's clients from 2.14 on ask for /associations first and take this answer for "there are none".
        app.MapFallback(Answer(_ => throw new RegistryException(404, "HTTP 404 Not Found")));
    }

    private void MapSubjects(IEndpointRouteBuilder app)
    {
        app.MapGet("/subjects", Answer(r => Array(
            state.Subjects(Flag(r, "deleted")).Where(s => s.StartsWith(Query(r, "subjectPrefix") ?? "", StringComparison.Ordinal)))));
        app.MapPost("/subjects/{subject}", AnswerBody((r, body) => Full(state.Lookup(Subject(r), SchemaIn(body), Flag(r, "deleted")))));
        app.MapDelete("/subjects/{subject}", Answer(r => Array(state.DeleteSubject(Subject(r), Flag(r, "permanent")))));
        app.MapGet("/subjects/{subject}/versions", Answer(r => Array(state.Versions(Subject(r), Flag(r, "deleted")))));
        app.MapPost("/subjects/{subject}/versions", AnswerBody((r, body) =>
            new JsonObject { ["id"] = state.Register(Subject(r), SchemaIn(body)).Id }));
        app.MapGet("/subjects/{subject}/versions/{version}", Answer(r => Full(state.Get(Subject(r), Version(r), Flag(r, "deleted")))));
        app.MapGet("/subjects/{subject}/versions/{version}/schema", Answer(r => JsonNode.Parse(state.Get(Subject(r), Version(r), Flag(r, "deleted")).Schema)));
        app.MapGet("/subjects/{subject}/versions/{version}/referencedby", Answer(_ => new JsonArray()));
        app.MapDelete("/subjects/{subject}/versions/{version}", Answer(r =>
            JsonValue.Create(state.DeleteVersion(Subject(r), Version(r), Flag(r, "permanent")))));
    }

    private void MapSchemas(IEndpointRouteBuilder app)
    {
        app.MapGet("/schemas/types", Answer(_ => new JsonArray("AVRO")));
        app.MapGet("/schemas", Answer(r => new JsonArray([.. AllSchemas(r).Select(Full)])));
        app.MapGet("/schemas/ids/{id:int}", Answer(r => new JsonObject { ["schema"] = state.SchemaOf(Id(r)) }));
        app.MapGet("/schemas/ids/{id:int}/schema", Answer(r => JsonNode.Parse(state.SchemaOf(Id(r)))));
        app.MapGet("/schemas/ids/{id:int}/subjects", Answer(r => Array(state.Uses(Id(r)).Select(s => s.Subject))));
        app.MapGet("/schemas/ids/{id:int}/versions", Answer(r => new JsonArray(
            [.. state.Uses(Id(r)).Select(s => new JsonObject { ["subject"] = s.Subject, ["version"] = s.Version })])));
    }

    private void MapConfig(IEndpointRouteBuilder app)
    {
        app.MapGet("/config", Answer(_ => Level("compatibilityLevel", state.GlobalLevel)));
        app.MapPut("/config", AnswerBody((_, body) => SetLevel(null, body)));
        app.MapDelete("/config", Answer(_ =>
        {
            state.SetLevel(null, null);
            return Level("compatibilityLevel", state.GlobalLevel);
        }));
        app.MapGet("/config/{subject}", Answer(r => Level("compatibilityLevel", LevelOf(r))));
        app.MapPut("/config/{subject}", AnswerBody((r, body) => SetLevel(Subject(r), body)));
        app.MapDelete("/config/{subject}", Answer(r =>
        {
            var level = state.SubjectLevel(Subject(r)) ?? throw NoLevel(r);
            state.SetLevel(Subject(r), null);
            return Level("compatibilityLevel", level);
        }));
    }

    private IEnumerable<RegisteredSchema> AllSchemas(HttpRequest request) =>
        from subject in state.Subjects(Flag(request, "deleted"))
        where subject.StartsWith(Query(request, "subjectPrefix") ?? "", StringComparison.Ordinal)
        from version in Flag(request, "latestOnly") ? [-1] : state.Versions(subject, Flag(request, "deleted"))
        select state.Get(subject, version, Flag(request, "deleted"));

    private JsonObject Check(HttpRequest request, JsonObject body, int? version)
    {
        var reasons = state.Check(Subject(request), SchemaIn(body), version);
        var answer = new JsonObject { ["is_compatible"] = reasons.Count == 0 };
        if (Flag(request, "verbose")) answer["messages"] = Array(reasons);
        return answer;
    }

    private CompatibilityLevel LevelOf(HttpRequest request) =>
        state.SubjectLevel(Subject(request)) ?? (Flag(request, "defaultToGlobal") ? state.GlobalLevel : throw NoLevel(request));

    private JsonObject SetLevel(string? subject, JsonObject body)
    {
        var level = CompatibilityLevels.Parse((string?)body["compatibility"]);
        state.SetLevel(subject, level);
        return Level("compatibility", level);
    }

    private static RegistryException NoLevel(HttpRequest request) => new(
        40408, $"Subject '{Subject(request)}' does not have subject-level compatibility configured");

    private static JsonObject Level(string name, CompatibilityLevel level) => new() { [name] = level.ToWire() };

    private static JsonObject Full(RegisteredSchema schema) => new()
    {
        ["subject"] = schema.Subject,
        ["version"] = schema.Version,
        ["id"] = schema.Id,
        ["schema"] = schema.Schema,
    };

    private static JsonArray Array(IEnumerable<string> items) => new([.. items.Select(i => JsonValue.Create(i))]);

    private static JsonArray Array(IEnumerable<int> items) => new([.. items.Select(i => JsonValue.Create(i))]);

    private static string SchemaIn(JsonObject body)
    {
        if ((string?)body["schemaType"] is { } type && type != "AVRO") throw RegistryException.Invalid($"type {type}; this registry keeps AVRO only");
        if (body["references"] is JsonArray { Count: > 0 }) throw RegistryException.Invalid("references to other subjects; inline the named types");
        return (string?)body["schema"] ?? throw new RegistryException(42201, "Empty schema");
    }

    private static string Subject(HttpRequest request) =>
        // Kestrel decodes a path but for the escaped slash, which would change its parts.
        ((string)request.RouteValues["subject"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    private static int Id(HttpRequest request) => int.Parse((string)request.RouteValues["id"]!);

    private static int Version(HttpRequest request)
    {
        string text = (string)request.RouteValues["version"]!;
        if (text is "latest" or "-1") return -1;
        return int.TryParse(text, out int version) && version > 0 ? version : throw RegistryException.BadVersion(text);
    }

    private static string? Query(HttpRequest request, string name) => request.Query.TryGetValue(name, out var value) ? (string?)value : null;

    /// <summary>Some clients write <c>True</c>, so no strict JSON spelling.</summary>
    private static bool Flag(HttpRequest request, string name) => bool.TryParse(Query(request, name), out bool flag) && flag;

    private static RequestDelegate AnswerBody(Func<HttpRequest, JsonObject, JsonNode?> handle) => async context =>
    {
        JsonObject? body;
        try
        {
            body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted) as JsonObject;
        }
        catch (JsonException e)
        {
            await WriteAsync(context, 400, Error(400, $"The body is not JSON: {e.Message}"));
            return;
        }

        await Answer(r => handle(r, body ?? throw new RegistryException(400, "The body is not a JSON object")))(context);
    };

    private static RequestDelegate Answer(Func<HttpRequest, JsonNode?> handle) => async context =>
    {
        int status = 200;
        JsonNode? answer;
        try
        {
            answer = handle(context.Request);
        }
        catch (RegistryException e)
        {
            status = e.Status;
            answer = Error(e.ErrorCode, e.Message);
        }
        catch (InvalidOperationException e)
        {
            // A field of another JSON type than it should be.
            status = 422;
            answer = Error(42201, $"Invalid request: {e.Message}");
        }

        await WriteAsync(context, status, answer);
    };

    private static JsonObject Error(int code, string message) => new() { ["error_code"] = code, ["message"] = message };

    private static async Task WriteAsync(HttpContext context, int status, JsonNode? answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = ContentType;
        await context.Response.WriteAsync(answer?.ToJsonString() ?? "null", context.RequestAborted);
    }
}
