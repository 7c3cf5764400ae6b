using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.Cli.Commands;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Hosting;

/// <summary>Hosts any set of workers in this process until they are done or Ctrl-C drains them.</summary>
internal static class WorkerRunner
{
    /// <summary>A host with what the workers share; logs go to standard error, so that standard output stays a command's own.</summary>
    public static IHost Build(Installation installation, Catalog catalog, Action<IServiceCollection> addWorkers, LogLevel level = LogLevel.Information)
    {
        var builder = NewBuilder(level);
        installation.AddTo(builder.Services, catalog);
        addWorkers(builder.Services);
        return builder.Build();
    }

    /// <summary>A host without workers: its configuration (appsettings.json, environment) and its log on standard error.</summary>
    public static HostApplicationBuilder NewBuilder(LogLevel level)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(o => o.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(level);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        return builder;
    }

    /// <summary>Runs workers on the servers that the arguments name, or embedded ones, until Ctrl-C.</summary>
    public static async Task<int> RunAsync(ParseResult arguments, bool allowEmbedded, Action<IServiceCollection> addWorkers, CancellationToken cancellationToken)
    {
        var options = arguments.Installation(findRunning: !allowEmbedded);
        if (!allowEmbedded)
            RequireServers(arguments.CommandResult.Command.Name, options);
        var catalogPath = arguments.CatalogPath();
        var catalog = Catalogs.Load(catalogPath);
        await using var installation = await Installation.StartAsync(options, cancellationToken);
        foreach (var warning in installation.RedisEndpoint.Warnings)
            await Console.Error.WriteLineAsync($"warning: {warning}");
        using var host = Build(installation, catalog, services =>
        {
            // First, so that it tells of the start of the others.
            if ((arguments.GetValue(CommonOptions.Ops) ?? Environment.GetEnvironmentVariable("STREAMML_OPS")) is { Length: > 0 } url)
                services.AddOps(url);
            addWorkers(services);
            // What a worker failed of is told once, at the end: the framework would tell it twice before, with advice to ignore it.
            services.AddLogging(l => l.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None));
        });
        if (allowEmbedded)
            installation.Endpoints(api: null, Path.GetFullPath(catalogPath)).Write(options.Directory);
        try
        {
            await host.RunToEndAsync(cancellationToken);
        }
        finally
        {
            if (allowEmbedded)
                EndpointsFile.Delete(options.Directory);
        }

        return 0;
    }

    private static void RequireServers(string command, InstallationOptions options)
    {
        string[] missing = [.. new[] { ("--kafka", options.Kafka), ("--redis", options.Redis), ("--registry", options.Registry) }.Where(o => o.Item2 is null).Select(o => o.Item1)];
        if (missing.Length > 0)
            throw new ArgumentException($"`streamml {command}` is one worker among others and needs the servers they share: {string.Join(", ", missing)} is missing. Name them, or run everything in one process with `streamml up`");
    }
}
