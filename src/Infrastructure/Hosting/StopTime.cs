using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>A host waits for its workers' drains: the framework's 30 s for all of them would cut short what their options allow.</summary>
public static class StopTime
{
    /// <summary>Adds a worker's own bound to the time that its host takes to stop; workers stop one after the other.</summary>
    /// <typeparam name="TOptions">Options that say how long a drain may take.</typeparam>
    /// <param name="services">The host's.</param>
    /// <param name="drainMs">The bound, milliseconds.</param>
    public static IServiceCollection GiveTimeToStop<TOptions>(this IServiceCollection services, Func<TOptions, int> drainMs)
        where TOptions : class
    {
        services.AddOptions<HostOptions>().Configure<IOptions<TOptions>>((host, worker) => host.ShutdownTimeout += TimeSpan.FromMilliseconds(drainMs(worker.Value)));
        return services;
    }
}
