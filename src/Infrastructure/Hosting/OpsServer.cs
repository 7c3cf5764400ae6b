using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>
/// What operators and orchestrators ask any worker, on a port of its own: <c>/metrics</c> gives all meters named <c>StreamMl.*</c> and the runtime's to
/// Prometheus, <c>/healthz</c> answers while the process lives (a worker that fails ends it), <c>/readyz</c> answers 503 and the reason where the
/// store or Kafka cannot be reached.
/// </summary>
public sealed partial class OpsServer(string url, IStateStore store, KafkaEndpoint kafka, ILogger<OpsServer> logger) : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private readonly TopicAdmin admin = new(kafka);
    private WebApplication? web;

    /// <summary>Where it listens, once started.</summary>
    public string Url => web!.Urls.First();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(url);
        builder.Services.AddRoutingCore();
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("StreamMl.*", "System.Runtime").AddPrometheusExporter());
        web = builder.Build();
        web.UseOpenTelemetryPrometheusScrapingEndpoint();
        web.UseRouting();
        web.MapGet("/healthz", context => AnswerAsync(context, 200, "ok"));
        web.MapGet("/readyz", ReadyAsync);
        await web.StartAsync(cancellationToken);
        Listening(logger, Url);
    }

    public Task StopAsync(CancellationToken cancellationToken) => web?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (web is not null)
            await web.DisposeAsync();
        admin.Dispose();
    }

    private async Task ReadyAsync(HttpContext context)
    {
        var problem = await ProblemAsync("the store", StoreAsync, context.RequestAborted) ?? await ProblemAsync("Kafka", token => admin.BrokersAsync(Patience, token), context.RequestAborted);
        await AnswerAsync(context, problem is null ? 200 : 503, problem ?? "ready");
    }

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        var keys = new PackedBytes();
        keys.Add("streamml.ready"u8);
        using var values = await store.ReadAsync(keys, cancellationToken);
    }

    // Whatever the server's client throws means the same here: it is not reached.
    private static async Task<string?> ProblemAsync(string server, Func<CancellationToken, Task> ask, CancellationToken cancellationToken)
    {
        try
        {
            await ask(cancellationToken).WaitAsync(Patience, cancellationToken);
            return null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return $"{server} does not answer: {e.Message}";
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, new Dictionary<string, string>(StringComparer.Ordinal) { ["status"] = text }, cancellationToken: context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "/metrics, /healthz and /readyz are at {Url}")]
    private static partial void Listening(ILogger logger, string url);
}

/// <summary>Puts the operators' endpoint into a host that has <c>IStateStore</c> and <c>KafkaEndpoint</c>.</summary>
public static class OpsHosting
{
    /// <param name="services">Of the host.</param>
    /// <param name="url">Where it listens; port 0 takes a free one (<see cref="OpsServer.Url"/> says which).</param>
    public static IServiceCollection AddOps(this IServiceCollection services, string url)
    {
        services.AddSingleton(p => new OpsServer(url, p.GetRequiredService<IStateStore>(), p.GetRequiredService<KafkaEndpoint>(), p.GetRequiredService<ILogger<OpsServer>>()));
        services.AddHostedService(p => p.GetRequiredService<OpsServer>());
        return services;
    }
}
