using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using StreamMl.OnlineScorer.Api.Predicting;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer.Api;

/// <summary>
/// The query API as a worker: a Kestrel of its own inside whatever host runs it, so that one process can hold any set of workers. What it needs is taken from
/// the host's services.
/// </summary>
public sealed class FeatureApiServer(IServiceProvider services) : IHostedService, IAsyncDisposable
{
    private WebApplication? web;

    /// <summary>Where it listens, once started: the real port where 0 was asked.</summary>
    public string Address { get; private set; } = "";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<FeatureApiOptions>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(services.GetRequiredService<ILoggerFactory>());
        builder.WebHost.UseUrls(options.Url);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        web = builder.Build();
        if (services.GetService<ModelHost>() is { } models)
        {
            new PredictApi(
                models, services.GetRequiredService<FeatureReader>(), services.GetRequiredService<ScoringOptions>(), services.GetRequiredService<TimeProvider>(),
                new ApiGuard(services.GetRequiredService<ILogger<FeatureApi>>())).Map(web);
        }

        new FeatureApi(
            services.GetRequiredService<ApiCatalogs>(),
            services.GetRequiredService<ServedCatalog>(),
            services.GetRequiredService<FeatureReader>(),
            services.GetRequiredService<IStateStore>(),
            options,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<FeatureApi>>(),
            services.GetService<IStoreDirectory>()).Map(web);
        await web.StartAsync(cancellationToken);
        Address = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        services.GetRequiredService<ILogger<FeatureApi>>().Listening(Address);
    }

    public Task StopAsync(CancellationToken cancellationToken) => web?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (web is not null)
            await web.DisposeAsync();
    }
}
