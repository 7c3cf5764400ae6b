using System.Runtime.ExceptionServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>Runs hosts so that a worker's failure is the process's failure.</summary>
public static class HostRun
{
    /// <summary>
    /// Runs until a graceful stop. A background service that fails stops its host, and the framework's own run then returns as if all was well: a supervisor that restarts
    /// what failed would leave it lying. Here what it threw is thrown again. Disposes the host.
    /// </summary>
    public static async Task RunToEndAsync(this IHost host, CancellationToken cancellationToken = default)
    {
        var workers = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        await host.RunAsync(cancellationToken);
        if (workers.Select(w => w.ExecuteTask).FirstOrDefault(t => t is { IsFaulted: true }) is { Exception.InnerException: { } failure })
            ExceptionDispatchInfo.Throw(failure);
    }
}
