using System.Text.Json;
using System.Text.Json.Nodes;
using StreamMl.Shared.Models;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>Maps handlers under the paths that clients and MLflow's pages ask, and turns refusals into MLflow's error form.</summary>
internal sealed class MlflowRoutes(IEndpointRouteBuilder app, ILogger logger, bool loopbackOnly)
{
    private static readonly string[] Prefixes = ["/api/2.0", "/ajax-api/2.0"];

    public void Get(string path, Func<MlflowRequest, JsonNode> handle) => Map(path, HttpMethods.Get, r => Task.FromResult(handle(r)));

    public void Post(string path, Func<MlflowRequest, JsonNode> handle) => Map(path, HttpMethods.Post, r => Task.FromResult(handle(r)));

    public void Post(string path, Func<MlflowRequest, Task<JsonNode>> handle) => Map(path, HttpMethods.Post, handle);

    public void Delete(string path, Func<MlflowRequest, Task<JsonNode>> handle) => Map(path, HttpMethods.Delete, handle);

    /// <summary>A path of the proxied artifact interface, whose bodies are files.</summary>
    public void Proxy(string path, string method, RequestDelegate handle)
    {
        foreach (var prefix in Prefixes)
            app.MapMethods($"{prefix}/mlflow-artifacts/artifacts{path}", [method], Guard(handle));
    }

    public void Fallback() => app.MapFallback(Guard(c => throw new MlflowException(
        MlflowException.NoEndpoint, $"{c.Request.Method} {c.Request.Path} is not part of the interface that this server speaks: experiments, runs, metrics, artifacts, registered models and their versions of MLflow's REST API 2.0")));

    public static async Task WriteAsync(HttpContext context, int status, JsonNode answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.ToJsonString(), context.RequestAborted);
    }

    private void Map(string path, string method, Func<MlflowRequest, Task<JsonNode>> handle)
    {
        foreach (var prefix in Prefixes)
            app.MapMethods($"{prefix}/mlflow{path}", [method], Guard(async context => await WriteAsync(context, 200, await handle(await ReadAsync(context)))));
    }

    private static async Task<MlflowRequest> ReadAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method) || context.Request.ContentLength is 0)
            return new MlflowRequest(context.Request, default);
        // A page of another site may send text/plain without asking; JSON it may not.
        if (context.Request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) != true)
            throw new MlflowException(MlflowException.Invalid, $"the body's content type is '{context.Request.ContentType}'; it must be application/json");
        using var json = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        return json.RootElement.ValueKind == JsonValueKind.Object
            ? new MlflowRequest(context.Request, json.RootElement.Clone())
            : throw new MlflowException(MlflowException.Invalid, "the body must be a JSON object");
    }

    private RequestDelegate Guard(RequestDelegate handle) => async context =>
    {
        try
        {
            if (loopbackOnly && context.Request.Host.Host is not ("localhost" or "127.0.0.1" or "[::1]"))
                throw new MlflowException(MlflowException.Denied, $"host '{context.Request.Host.Host}' is not this machine; listen on another address to serve others");
            await handle(context);
        }
        catch (Exception error) when (CodeOf(error) is { } code && !context.Response.HasStarted)
        {
            await RefuseAsync(context, code, error.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            logger.RequestFailed(error, context.Request.Method, context.Request.Path);
            await RefuseAsync(context, MlflowException.Internal, error.Message);
        }
    };

    private static Task RefuseAsync(HttpContext context, string code, string message) =>
        WriteAsync(context, MlflowException.StatusOf(code), new JsonObject { ["error_code"] = code, ["message"] = message });

    /// <summary>MLflow's code of what is the request's fault; null for what is ours.</summary>
    private static string? CodeOf(Exception error) => error switch
    {
        MlflowException refused => refused.Code,
        TrackingException { Problem: TrackingProblem.Missing } => MlflowException.Missing,
        TrackingException { Problem: TrackingProblem.Exists } => MlflowException.Exists,
        TrackingException or ModelException or JsonException or BadHttpRequestException => MlflowException.Invalid,
        TimeoutException => MlflowException.Busy,
        _ => null,
    };
}
