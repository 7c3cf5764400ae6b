using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StreamMl.Monitoring.Quality;

namespace StreamMl.Monitoring;

/// <summary>Puts the monitors into a host. The composition root registers Catalog, <c>KafkaEndpoint</c> and <c>SchemaRegistryClient</c>.</summary>
public static class MonitoringHosting
{
    /// <summary>Realised quality of a service's predictions: the singleton <see cref="RealisedQuality"/>.</summary>
    public static IServiceCollection AddRealisedQuality(this IServiceCollection services, Action<QualityOptions>? configure = null)
    {
        services.AddOptions<QualityOptions>().BindConfiguration("Quality").ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(p => new RealisedQuality(p.GetRequiredService<IOptions<QualityOptions>>().Value.MaxKeys));
        services.AddHostedService<QualityWorker>();
        return services;
    }
}
