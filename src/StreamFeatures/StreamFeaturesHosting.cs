using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using StreamMl.Infrastructure.Hosting;

namespace StreamMl.StreamFeatures;

/// <summary>Puts the stream worker into a host. The composition root registers the catalogue, <c>KafkaEndpoint</c>, <c>IStateStore</c> and <c>SchemaRegistryClient</c>.</summary>
public static class StreamFeaturesHosting
{
    public static IServiceCollection AddStreamFeatures(this IServiceCollection services)
    {
        services.AddStreamFeaturesOptions();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<StreamMetrics>();
        services.GiveTimeToStop<StreamFeaturesOptions>(o => o.DrainTimeoutMs);
        services.AddHostedService<FeatureWorker>();
        return services;
    }

    /// <summary>The options of section Features alone: for commands that do a worker's work and must have what it has.</summary>
    public static IServiceCollection AddStreamFeaturesOptions(this IServiceCollection services)
    {
        services.AddOptions<StreamFeaturesOptions>().BindConfiguration("Features").ValidateDataAnnotations().ValidateOnStart();
        return services;
    }
}
