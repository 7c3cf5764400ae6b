using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using StreamMl.Infrastructure.Models;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>
/// Runs and models over MLflow's REST API 2.0, so that its clients can list, compare and log: a Kestrel of its own inside whatever host runs it. What it answers is read from
/// the files at each request; it keeps nothing.
/// </summary>
public sealed class MlflowServer(IOptions<MlflowOptions> options, TimeProvider time, ILogger<MlflowServer> logger) : IHostedService, IAsyncDisposable
{
    private WebApplication? web;

    /// <summary>Where it listens, once started: the real port where 0 was asked.</summary>
    public string Address { get; private set; } = "";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(settings.Url).ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = settings.MaxBodyBytes;
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddRoutingCore();
        web = builder.Build();
        web.UseRouting();
        Map(web, settings);
        await web.StartAsync(cancellationToken);
        Address = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        logger.Listening(Address);
    }

    public Task StopAsync(CancellationToken cancellationToken) => web?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (web is not null)
            await web.DisposeAsync();
    }

    private void Map(WebApplication app, MlflowOptions settings)
    {
        var store = RunStore.In(settings.Directory, time);
        store.EnsureExperiment(RunLayout.DefaultExperiment);
        var models = ModelStore.In(settings.Directory, time);
        var routes = new MlflowRoutes(app, logger, IsLoopback(settings.Url));
        var experiments = new MlflowExperiments(store);
        var runs = new MlflowRuns(store, experiments);
        var artifacts = new MlflowArtifacts(store, models, runs, settings);
        experiments.Map(routes);
        runs.Map(routes);
        artifacts.Map(routes);
        new MlflowModels(models, artifacts).Map(routes);
        app.MapGet("/health", () => "OK");
        routes.Fallback();
    }

    private static bool IsLoopback(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.Host == "localhost" || (IPAddress.TryParse(uri.Host, out var address) && IPAddress.IsLoopback(address)));
}
