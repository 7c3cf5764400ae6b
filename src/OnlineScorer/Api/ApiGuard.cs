using System.Buffers;

namespace StreamMl.OnlineScorer.Api;

/// <summary>What every handler needs: a failure becomes a problem with its own status, an answer is written whole before its first byte is sent. Thread-safe.</summary>
internal sealed class ApiGuard(ILogger logger)
{
    public RequestDelegate Handle(Func<HttpContext, Task> handler) => async context =>
    {
        try
        {
            await handler(context);
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            if (ApiProblem.From(e) is { } problem)
            {
                await problem.WriteAsync(context.Response);
                return;
            }

            logger.RequestFailed(e, context.Request.Method, context.Request.Path);
            await new ApiProblem(500, "internal-error", "the server failed; its log has the details", "report it with the log").WriteAsync(context.Response);
        }
    };

    public static async Task SendAsync(HttpResponse response, Action<IBufferWriter<byte>> write, string contentType = "application/json")
    {
        // Written whole before the first byte is sent, so that a failure can still be a problem with its own status.
        var body = new ArrayBufferWriter<byte>(4096);
        write(body);
        response.ContentType = contentType;
        response.ContentLength = body.WrittenCount;
        await response.Body.WriteAsync(body.WrittenMemory, response.HttpContext.RequestAborted);
    }
}
