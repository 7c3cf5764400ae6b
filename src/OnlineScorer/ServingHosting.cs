using Microsoft.Extensions.DependencyInjection.Extensions;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.OnlineScorer.Api;
using StreamMl.OnlineScorer.Api.Grpc;
using StreamMl.OnlineScorer.Catalogs;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Store;

namespace StreamMl.OnlineScorer;

/// <summary>
/// The workers of this service. The composition root registers what they share: Catalog, IStateStore, TimeProvider, and (optional)
/// IStoreDirectory.
/// </summary>
public static class ServingHosting
{
    /// <summary>The feature query API.</summary>
    public static IServiceCollection AddFeatureApi(this IServiceCollection services, Action<FeatureApiOptions>? configure = null)
    {
        services.AddFeatureReader();
        services.AddServingOptions("Api", configure);
        services.AddSingleton<ApiCatalogs>();
        services.AddSingleton<ICatalogUser>(p => p.GetRequiredService<ApiCatalogs>());
        services.AddReaderNotes();
        services.AddSingleton<FeatureApiServer>();
        services.AddHostedService(p => p.GetRequiredService<FeatureApiServer>());
        return services;
    }

    /// <summary>Serving of trigger events. Needs KafkaEndpoint and SchemaRegistryClient beside the rest; sinks come from every ITriggerSinkFactory.</summary>
    public static IServiceCollection AddTriggerServing(this IServiceCollection services, Action<TriggerServingOptions>? configure = null)
    {
        services.AddFeatureReader();
        services.AddServingOptions("Serving", configure);
        services.GiveTimeToStop<TriggerServingOptions>(o => o.DrainMs);
        services.TryAddSingleton(p => new KafkaConsumerFactory(p.GetRequiredService<KafkaEndpoint>()));
        services.TryAddSingleton<ITopicEnds, KafkaTopicEnds>();
        services.AddSingleton(p => new TriggerServices(
            p.GetRequiredService<IStateStore>(),
            p.GetRequiredService<FeatureReader>(),
            p.GetRequiredService<SchemaRegistryClient>().GetSchemaAsync,
            p.GetRequiredService<ITopicEnds>(),
            p.GetRequiredService<KafkaEndpoint>().Budget,
            p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<TriggerServer>>()));
        services.AddSingleton<TriggerServingWorker>();
        services.AddSingleton<ICatalogUser>(p => p.GetRequiredService<TriggerServingWorker>());
        services.AddHostedService(p => p.GetRequiredService<TriggerServingWorker>());
        services.AddReaderNotes();
        return services;
    }

    /// <summary>Lets the catalogue change while its file does: the query API, trigger serving and scoring, whichever are added, change to it at once when the store has what it defines.</summary>
    public static IServiceCollection AddCatalogWatch(this IServiceCollection services, Action<CatalogWatchOptions> configure)
    {
        services.AddFeatureReader();
        services.AddServingOptions("CatalogWatch", configure);
        services.AddSingleton<CatalogSwitch>();
        services.AddSingleton<CatalogWatcher>();
        services.AddHostedService(p => p.GetRequiredService<CatalogWatcher>());
        return services;
    }

    /// <summary>
    /// Scoring: by request beside the query API, by event beside trigger serving, whichever of them are added too; add it before them. Needs what they need, and a ModelStore;
    /// ScoringPolicies are optional.
    /// </summary>
    public static IServiceCollection AddScoring(this IServiceCollection services, Action<ScoringOptions>? configure = null)
    {
        services.AddFeatureReader();
        services.AddServingOptions("Scoring", configure);
        services.TryAddSingleton(ScoringPolicies.None);
        services.TryAddSingleton<IModelCodeFactory, EngineModels>();
        services.TryAddSingleton<ModelLoader>();
        services.TryAddSingleton<ModelHost>();
        services.AddSingleton<ICatalogUser>(p => p.GetRequiredService<ModelHost>());
        services.AddHostedService<ModelWatcher>();
        services.AddSingleton<GrpcScorerServer>();
        services.AddHostedService(p => p.GetRequiredService<GrpcScorerServer>());
        services.TryAddSingleton(p => new KafkaConsumerFactory(p.GetRequiredService<KafkaEndpoint>()));
        services.AddSingleton<ITriggerSinkFactory, PredictionSinkFactory>();
        return services;
    }

    public static IServiceCollection AddFeatureReader(this IServiceCollection services, Action<FeatureReaderOptions>? configure = null)
    {
        services.AddServingOptions("Reading", configure);
        services.TryAddSingleton(p => new FeatureReader(p.GetRequiredService<IStateStore>(), p.GetRequiredService<FeatureReaderOptions>(), p.GetService<IStoreDirectory>()));
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(p => new ServedCatalog(p.GetRequiredService<Catalog>()));
        return services;
    }

    private static void AddReaderNotes(this IServiceCollection services) => services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ReaderNotes>());

    /// <summary>Options by their own type, from that section of the configuration and then from code, checked when the host starts.</summary>
    private static void AddServingOptions<T>(this IServiceCollection services, string section, Action<T>? configure)
        where T : class
    {
        services.AddOptions<T>().BindConfiguration(section).ValidateDataAnnotations().ValidateOnStart();
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton(p => p.GetRequiredService<Microsoft.Extensions.Options.IOptions<T>>().Value);
    }
}
