using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StreamMl.BatchBackfill.Ledger;
using StreamMl.BatchBackfill.Parity;
using StreamMl.Cli.Commands;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Ingestors.Archiving;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Definitions;
using StreamMl.StreamFeatures;

namespace StreamMl.Cli.Demo;

/// <summary>The main job from replay to proof, in one process: history, a model of it, the model serving, and all of it recomputed. One use.</summary>
internal sealed class DemoRun(DemoOptions options)
{
    public const string Service = "arrival_delay";

    /// <summary>The arrival clock of a repartition log is the latest of its sources': the further their workers drift apart, the staler are the prefixes that a model is trained on.</summary>
    private static readonly TimeSpan HistoryAhead = TimeSpan.FromHours(6);

    /// <summary>Enough for a look at what came last, and for the replay that goes on to find where the one before it ended.</summary>
    private const int KeptRecords = 2_000;

    /// <summary>What was read last is waited for at the end of each replay.</summary>
    private const int RollIdleMs = 250;

    private readonly Stopwatch total = Stopwatch.StartNew();
    private readonly DemoScreen screen = new(options.Plain);
    private readonly string sample = Path.Combine(AppContext.BaseDirectory, "samples", "flights");
    private readonly List<(string Name, double Seconds)> timings = [];
    private double phaseStarted;

    /// <returns>0 if not one value differs and the ledger balances.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        var catalogPath = Path.GetFullPath(Path.Combine(sample, "catalog.yaml"));
        var catalog = Catalogs.Load(catalogPath);
        DemoFiles.Clear(options.Directory);
        screen.Title($"StreamMl demo: flights from New York, 2013. Everything lies under {options.Directory}");
        await using var installation = await Installation.StartAsync(new InstallationOptions { Directory = options.Directory, Kafka = options.Kafka, Redis = options.Redis, EmbeddedKafkaKeptRecords = KeptRecords }, stop);
        await Caught.MakeTopicsAsync(catalog, installation, stop);
        await File.WriteAllTextAsync(Path.Combine(options.Directory, CommonOptions.SavedCatalog), catalogPath, stop);
        using var workers = WorkerRunner.Build(installation, catalog, services => AddWorkers(services, catalog), LogLevel.Warning);
        await workers.StartAsync(stop);
        DemoScreen.Line($"Kafka {installation.Kafka.BootstrapServers}, Redis {installation.RedisEndpoint.Configuration}, registry {installation.Registry.Url}");
        Phase("start");
        try
        {
            return await WorkAsync(installation, catalog, catalogPath, stop);
        }
        finally
        {
            EndpointsFile.Delete(options.Directory);
            await workers.StopAsync(CancellationToken.None);
        }
    }

    private async Task<int> WorkAsync(Installation installation, Catalog catalog, string catalogPath, CancellationToken stop)
    {
        using var ends = new KafkaTopicEnds(new KafkaConsumerFactory(installation.Kafka));
        var replay = new DemoReplay(installation, catalog, Path.Combine(sample, "mapping.yaml"), screen);
        screen.Heading($"History: schedules, departures, landings and weather up to {options.LiveFrom:d MMMM}, in order of arrival, as fast as the workers follow");
        await replay.RunAsync(options.From, options.LiveFrom, HistoryAhead, [], new Caught(catalog, installation, ends, sinks: null), more: null, stop);
        Phase("history");

        var models = new DemoModels(options, installation, catalog, sample, screen);
        await models.TrainAsync(stop);
        Phase("training");

        screen.Heading($"Live: from {options.LiveFrom:d MMMM} on the champion scores every flight half an hour before its schedule; landings tell how well");
        using var serving = new DemoServing(options, installation, catalog);
        var api = await serving.StartAsync(stop);
        installation.Endpoints(api, catalogPath).Write(options.Directory);
        var leaky = Task.Run(() => models.TrainLeakyAsync(stop), stop);
        var asOf = await replay.RunAsync(options.LiveFrom, options.Until, options.MaxAhead, null, new Caught(catalog, installation, ends, DemoServing.Sinks), serving.Quality, stop);
        await serving.WaitForLabelsAsync(stop);
        var ledgers = await LedgerRunner.KeptAsync(catalog, installation.Store, stop);
        SavedLedger.Write(options.Directory, ledgers);
        await QueryAsync(serving.Reader, catalog, asOf, stop);
        await leaky;
        Phase("live");

        // One thread for most of its time, and it needs nothing of the evaluation.
        var recomputed = Task.Run(() => ParityRunner.Run(catalog, new ParityOptions { Service = Service, Archive = installation.Options.ArchiveDirectory, Served = options.Directory }, cancellationToken: stop), stop);
        var scored = await models.EvaluateAsync(stop);
        screen.Heading("Parity: every served vector recomputed from the archive");
        var parity = await recomputed;
        DemoScreen.Line($"  {parity}");
        foreach (var difference in parity.Differences)
            DemoScreen.Line($"  {difference}");
        await models.ExplainOneAsync(stop);
        Phase("evaluation and parity");

        var report = DemoReport.Of(parity, catalog, ledgers, scored, timings, total.Elapsed.TotalSeconds);
        report.Write(options.Directory);
        new DemoConclusion(options, installation, api, screen).Show(report, ledgers);
        if (options.Stay)
        {
            DemoScreen.Line("Up until Ctrl-C.");
            await serving.WaitForShutdownAsync(stop);
        }

        return parity.ExitCode == 0 && ledgers.All(l => l.Counts.Balances) ? 0 : CommandRunner.Failed;
    }

    private void Phase(string name)
    {
        timings.Add((name, total.Elapsed.TotalSeconds - phaseStarted));
        phaseStarted = total.Elapsed.TotalSeconds;
    }

    private async Task QueryAsync(FeatureReader reader, Catalog catalog, long asOfUs, CancellationToken stop)
    {
        screen.Heading("A query: JFK to Los Angeles with American, as of the end of the replay");
        var keys = new Dictionary<string, string>(StringComparer.Ordinal) { ["origin"] = "JFK", ["dest"] = "LAX", ["carrier"] = "AA", ["tailnum"] = "N338AA" };
        await GetCommand.PrintAsync(reader, catalog, Service, keys, asOfUs, stop);
    }

    private void AddWorkers(IServiceCollection services, Catalog catalog)
    {
        services.AddArchiver();
        services.Configure<ArchiverOptions>(o =>
        {
            o.Directory = new InstallationOptions { Directory = options.Directory }.ArchiveDirectory;
            o.RollIdleMs = RollIdleMs;
            Scoring.ArchivePredictions(o, catalog, ScoringPolicies.None);
        });
        services.AddStreamFeatures();
    }
}
