using System.CommandLine;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Ingestors;
using StreamMl.Ingestors.Archiving;
using StreamMl.OnlineScorer;
using StreamMl.Shared.Definitions;
using StreamMl.StreamFeatures;

namespace StreamMl.Cli.Commands;

/// <summary>The workers, each by itself on shared servers, or all at once.</summary>
internal static class WorkerCommands
{
    private static readonly Option<string> Listen = new("--listen") { Description = "URL of the query API", DefaultValueFactory = _ => "http://127.0.0.1:8088" };

    private static readonly Option<string?> Speed = new("--speed") { Description = "Replay so many times faster than it happened, as 3600x; default: as fast as it goes" };

    private static readonly Option<string> MaxAhead = new("--max-ahead") { Description = "How far in time a fast replay may be ahead of the slowest worker; none: wait for nobody", DefaultValueFactory = _ => "15m" };

    private static readonly Option<string?> Http = new("--http") { Description = "URL at which events are taken over HTTP, as http://127.0.0.1:8090; default: not" };

    private static readonly Option<string?> Policies = new("--scoring") { Description = "How services are scored: topics, thresholds, missing and stale features; default: scoring.yaml beside the catalogue, if it is there" };

    private static readonly Option<bool> AcceptLoss = new("--accept-loss") { Description = "Where a topic has dropped records before they were archived: write the hole down in the archive and go on behind it" };

    private static readonly Option<string?> Grpc = new("--grpc") { Description = "URL at which predictions are asked for by gRPC, as http://127.0.0.1:8089; default: not" };

    public static Command Up()
    {
        var replay = new Option<string?>("--replay") { Description = "A mapping file whose files are replayed into the topics" };
        var command = new Command("up", "Run every worker in this process, on embedded servers where none are named") { Listen, Grpc, Policies, replay, Speed, MaxAhead, Http }.WithServers().WithOps().WithCatalog();
        command.SetAction((arguments, stop) =>
        {
            RefuseOldArchive(arguments.Installation(findRunning: false));
            return WorkerRunner.RunAsync(arguments, allowEmbedded: true, services =>
            {
                AddArchive(services, arguments);
                AddFeatures(services, arguments);
                AddServing(services, arguments);
                if (arguments.GetValue(replay) is { } mapping)
                    AddReplay(services, arguments, mapping);
                AddHttp(services, arguments);
            }, stop);
        });
        return command;
    }

    /// <summary>The embedded Kafka begins empty: an archive of an earlier one would have a hole, or another log under the same offsets.</summary>
    private static void RefuseOldArchive(InstallationOptions options)
    {
        var archive = options.ArchiveDirectory;
        if (options.Kafka is null && Directory.Exists(archive) && Directory.EnumerateFiles(archive, "*.arrow", SearchOption.AllDirectories).Any())
            throw new ArgumentException($"{archive} has the logs of an earlier run, and the embedded Kafka keeps nothing from run to run: its logs begin at offset 0 again. Name another --dir, or move {archive} away (backfill, train and parity go on reading it there with --from), or name a Kafka that lasts with --kafka");
    }

    public static Command Ingest()
    {
        var mapping = new Argument<string?>("mapping") { Description = "The mapping file: which file feeds which source, and how", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("ingest", "Replay files into topics in order of arrival, or take events over HTTP") { mapping, Speed, MaxAhead, Http }.WithServers().WithOps().WithCatalog();
        command.SetAction((arguments, stop) => WorkerRunner.RunAsync(arguments, allowEmbedded: false, services =>
        {
            if (arguments.GetValue(mapping) is { } path)
                AddReplay(services, arguments, path);
            else if (arguments.GetValue(Http) is null)
                throw new ArgumentException("nothing to ingest: name a mapping file, or --http and a URL");
            AddHttp(services, arguments);
        }, stop));
        return command;
    }

    public static Command Archive()
    {
        var command = new Command("archive", "Write every log to Arrow files under --dir") { Policies, AcceptLoss }.WithServers().WithOps().WithCatalog();
        command.SetAction((arguments, stop) => WorkerRunner.RunAsync(arguments, allowEmbedded: false, services => AddArchive(services, arguments), stop));
        return command;
    }

    public static Command Features()
    {
        var command = new Command("features", "Keep the views' states in the store up to date").WithServers().WithOps().WithCatalog();
        command.SetAction((arguments, stop) => WorkerRunner.RunAsync(arguments, allowEmbedded: false, services => AddFeatures(services, arguments), stop));
        return command;
    }

    public static Command Serve()
    {
        var command = new Command("serve", "Answer feature queries, and read a vector at every trigger event; score both with the models that are champion or challenger") { Listen, Grpc, Policies }.WithServers().WithOps().WithCatalog();
        command.SetAction((arguments, stop) => WorkerRunner.RunAsync(arguments, allowEmbedded: false, services =>
        {
            AddServing(services, arguments);
            services.AddCatalogWatch(o => o.Path = arguments.CatalogPath());
        }, stop));
        return command;
    }

    public static Command Registry()
    {
        var listen = new Option<string>("--listen") { Description = "address:port", DefaultValueFactory = _ => "127.0.0.1:8081" };
        var command = new Command("registry", "A Confluent-compatible schema registry, kept in one file under --dir") { listen };
        command.Options.Add(CommonOptions.Directory);
        command.SetAction(async (arguments, stop) =>
        {
            var at = IPEndPoint.Parse(arguments.GetValue(listen)!);
            await using var registry = await EmbeddedRegistry.StartAsync(Path.Combine(arguments.GetValue(CommonOptions.Directory)!, "registry"), at.Port, at.Address, stop);
            Console.WriteLine($"schema registry at {registry.Url}");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            return 0;
        });
        return command;
    }

    public static Command Healthy()
    {
        var url = new Argument<string>("url") { Description = "What is asked" };
        var command = new Command("healthy", "Exit code 0 if a URL answers with success: a health check for containers") { url };
        command.SetAction(async (arguments, stop) =>
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var answer = await http.GetAsync(new Uri(arguments.GetValue(url)!), stop);
            return answer.IsSuccessStatusCode ? 0 : CommandRunner.Failed;
        });
        return command;
    }

    private static void AddArchive(IServiceCollection services, ParseResult arguments)
    {
        services.AddArchiver();
        services.AddOptions<ArchiverOptions>().Configure<Catalog>((o, catalog) =>
        {
            o.Directory = arguments.Installation(findRunning: false).ArchiveDirectory;
            o.AcceptLoss |= arguments.GetValue(AcceptLoss);
            Scoring.ArchivePredictions(o, catalog, Scoring.Policies(arguments.GetValue(Policies), arguments.CatalogPath()));
        });
    }

    private static void AddFeatures(IServiceCollection services, ParseResult arguments)
    {
        services.AddStreamFeatures();
        services.AddOptions<StreamFeaturesOptions>().Configure(o => o.ArchiveDirectory ??= arguments.Installation(findRunning: false).ArchiveDirectory);
    }

    private static void AddServing(IServiceCollection services, ParseResult arguments)
    {
        Scoring.Add(services, arguments.GetValue(CommonOptions.Directory)!, Scoring.Policies(arguments.GetValue(Policies), arguments.CatalogPath()), arguments.GetValue(Grpc));
        services.AddFeatureApi(o => o.Url = arguments.GetValue(Listen)!);
        services.AddTriggerServing(o => o.Directory = arguments.GetValue(CommonOptions.Directory));
    }

    private static void AddHttp(IServiceCollection services, ParseResult arguments)
    {
        if (arguments.GetValue(Http) is { } url)
            services.AddHttpIngest(o => o.Url = url);
    }

    private static void AddReplay(IServiceCollection services, ParseResult arguments, string mapping) => services.AddReplay(o =>
    {
        o.MappingPath = mapping;
        o.Speed = arguments.GetValue(Speed) is { } speed
            ? double.TryParse(speed.TrimEnd('x'), out var factor) ? factor : throw new ArgumentException($"--speed '{speed}' is no factor; write 3600x, or leave it out to go as fast as possible")
            : null;
        var ahead = arguments.GetValue(MaxAhead)!;
        o.MaxAhead = ahead == "none" ? null : Durations.TryParse(ahead, out var bound) ? bound : throw new ArgumentException($"--max-ahead '{ahead}' is no duration; write a whole number and s, m, h or d, as 15m, or none");
        o.StopWhenDone = arguments.CommandResult.Command.Name == "ingest" && arguments.GetValue(Http) is null;
    });
}
