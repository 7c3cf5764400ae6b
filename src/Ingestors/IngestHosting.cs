using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Ingestors.Http;
using StreamMl.Ingestors.Replay;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Store;

namespace StreamMl.Ingestors;

/// <summary>Puts the ingestors into a host. The composition root registers Catalog, <c>KafkaEndpoint</c>, <c>SchemaRegistryClient</c> and (for a gated replay) <c>IStateStore</c>.</summary>
public static class IngestHosting
{
    /// <summary>A replay of files. Its progress is the singleton <see cref="ReplayStatus"/>.</summary>
    public static IServiceCollection AddReplay(this IServiceCollection services, Action<ReplayOptions>? configure = null)
    {
        services.AddOptions<ReplayOptions>().BindConfiguration("Replay").ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ReplayStatus>();
        services.TryAddSingleton(p => new Replayer(
            p.GetRequiredService<Catalog>(), p.GetRequiredService<KafkaEndpoint>(), p.GetService<IStateStore>(), p.GetRequiredService<SchemaRegistryClient>(),
            p.GetRequiredService<IOptions<ReplayOptions>>().Value, p.GetRequiredService<ReplayStatus>(), p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<Replayer>>()));
        services.AddHostedService<ReplayWorker>();
        return services;
    }

    /// <summary>The HTTP endpoint that takes events: the singleton <see cref="HttpIngestServer"/>.</summary>
    public static IServiceCollection AddHttpIngest(this IServiceCollection services, Action<HttpIngestOptions>? configure = null)
    {
        services.AddOptions<HttpIngestOptions>().BindConfiguration("HttpIngest").ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<HttpIngestServer>();
        services.AddHostedService(p => p.GetRequiredService<HttpIngestServer>());
        return services;
    }
}
