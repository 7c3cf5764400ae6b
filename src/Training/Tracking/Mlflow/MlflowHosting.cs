namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>Adds the MLflow server to a host.</summary>
public static class MlflowHosting
{
    public static IServiceCollection AddMlflow(this IServiceCollection services, Action<MlflowOptions>? configure = null)
    {
        services.AddOptions<MlflowOptions>().Configure(configure ?? (_ => { })).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<MlflowServer>();
        services.AddHostedService(s => s.GetRequiredService<MlflowServer>());
        return services;
    }
}
