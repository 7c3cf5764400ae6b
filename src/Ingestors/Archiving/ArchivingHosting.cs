using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace StreamMl.Ingestors.Archiving;

/// <summary>Puts the archiver into a host. The composition root registers the catalogue, <c>KafkaEndpoint</c> and <c>SchemaRegistryClient</c>.</summary>
public static class ArchivingHosting
{
    public static IServiceCollection AddArchiver(this IServiceCollection services)
    {
        services.AddOptions<ArchiverOptions>().BindConfiguration("Archive").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddHostedService<ArchiverWorker>();
        return services;
    }
}
