using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Infrastructure.Redis;
using StreamMl.Shared.Definitions;

namespace StreamMl.Infrastructure.Hosting;

/// <summary>
/// Runs one worker as a process of its own: <c>--catalog FILE --kafka SERVERS --redis HOST:PORT --registry URL [--dir DIR]</c>, each also as
/// STREAMML_CATALOG, STREAMML_KAFKA, STREAMML_REDIS, STREAMML_REGISTRY, STREAMML_DIR; <c>--ops URL</c> answers /metrics, /healthz and /readyz; options of the worker as configuration keys:
/// <c>--Features:CommitIntervalMs=250</c> or STREAMML_Features__CommitIntervalMs.
/// </summary>
public static class WorkerHost
{
    /// <returns>The exit code: 0 after a graceful stop, 1 where the worker failed, 2 for wrong arguments, a catalogue with errors, or a Redis that cannot hold the store.</returns>
    public static async Task<int> RunAsync(string[] args, Action<IServiceCollection> addWorker)
    {
        var builder = Host.CreateApplicationBuilder(args);
        builder.Configuration.AddEnvironmentVariables("STREAMML_").AddCommandLine(args);
        string? Setting(string name) => builder.Configuration[name];
        var missing = new[] { "catalog", "kafka", "redis", "registry" }.Where(name => Setting(name) is null).ToList();
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync($"missing: {string.Join(", ", missing.Select(m => $"--{m}"))}. A worker by itself works on servers that others share; `streamml up` runs all workers on embedded servers in one process");
            return 2;
        }

        var catalog = CatalogFile.Load(Setting("catalog")!);
        foreach (var diagnostic in catalog.Diagnostics)
            await Console.Error.WriteLineAsync(diagnostic.ToString());
        if (catalog.Diagnostics.Any(d => d.Severity == Severity.Error))
            return 2;
        var options = new InstallationOptions { Directory = Setting("dir") ?? ".streamml", Kafka = Setting("kafka"), Redis = Setting("redis"), Registry = Setting("registry") };
        if (await StartAsync(options) is not { } installation)
            return 2;
        await using var _ = installation;
        foreach (var warning in installation.RedisEndpoint.Warnings)
            await Console.Error.WriteLineAsync($"warning: {warning}");
        installation.AddTo(builder.Services, catalog.Catalog);
        if (Setting("ops") is { Length: > 0 } ops)
            builder.Services.AddOps(ops);
        addWorker(builder.Services);
        using var host = builder.Build();
        try
        {
            await host.RunToEndAsync();
            return 0;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"failed: {e.Message}");
            return 1;
        }
    }

    private static async Task<Installation?> StartAsync(InstallationOptions options)
    {
        try
        {
            return await Installation.StartAsync(options, CancellationToken.None);
        }
        catch (RedisUnsuitableException e)
        {
            // What is wrong and what to set is all in the message; where in the program it was found helps nobody.
            await Console.Error.WriteLineAsync(e.Message);
            return null;
        }
    }
}
