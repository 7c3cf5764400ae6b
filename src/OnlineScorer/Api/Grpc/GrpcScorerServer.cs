using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;

namespace StreamMl.OnlineScorer.Api.Grpc;

/// <summary>gRPC on a port of its own (HTTP/2 without TLS cannot share one with HTTP/1.1), inside whatever host runs it; not where no URL is named.</summary>
public sealed class GrpcScorerServer(IServiceProvider services) : IHostedService, IAsyncDisposable
{
    private WebApplication? web;

    /// <summary>Where it listens, once started; empty where it does not.</summary>
    public string Address { get; private set; } = "";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (services.GetRequiredService<ScoringOptions>().GrpcUrl is not { } url)
            return;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(services.GetRequiredService<ILoggerFactory>());
        builder.Services.AddSingleton(services.GetRequiredService<ModelHost>()).AddSingleton(services.GetRequiredService<FeatureReader>());
        builder.Services.AddSingleton(services.GetRequiredService<ScoringOptions>()).AddSingleton(services.GetRequiredService<TimeProvider>());
        builder.Services.AddSingleton<GrpcScorer>().AddSingleton<IHostLifetime, QuietLifetime>();
        builder.Services.AddGrpc();
        builder.WebHost.UseUrls(url);
        builder.WebHost.ConfigureKestrel(k => k.ConfigureEndpointDefaults(e => e.Protocols = HttpProtocols.Http2));
        web = builder.Build();
        web.MapGrpcService<GrpcScorer>();
        await web.StartAsync(cancellationToken);
        Address = web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        services.GetRequiredService<ILogger<GrpcScorer>>().GrpcListening(Address);
    }

    public Task StopAsync(CancellationToken cancellationToken) => web?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (web is not null)
            await web.DisposeAsync();
    }
}
