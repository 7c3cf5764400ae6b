using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StreamMl.BatchBackfill;
using StreamMl.BatchBackfill.Ledger;
using StreamMl.BatchBackfill.Parity;
using StreamMl.Cli.Commands;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Ingestors;
using StreamMl.Ingestors.Archiving;
using StreamMl.Ingestors.Replay;
using StreamMl.OnlineScorer;
using StreamMl.OnlineScorer.Api;
using StreamMl.OnlineScorer.Reading;
using StreamMl.OnlineScorer.Triggers;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;
using StreamMl.StreamFeatures;

namespace StreamMl.Cli.Demo;

/// <summary>The main job from replay to proof, in one process. One use.</summary>
internal sealed class DemoRun(DemoOptions options)
{
    private const string Service = "arrival_delay";
    private const string Label = "late: arr_delay > 15 from landings on flight_id";

    private readonly Stopwatch total = Stopwatch.StartNew();
    private readonly DemoScreen screen = new(options.Plain);
    private readonly string sample = Path.Combine(AppContext.BaseDirectory, "samples", "flights");

    /// <returns>0 if not one value differs and the ledger balances.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        var catalogPath = Path.Combine(sample, "catalog.yaml");
        var catalog = Catalogs.Load(catalogPath);
        Clear();
        screen.Title($"StreamMl demo: flights from New York, 2013. Everything lies under {options.Directory}");
        await using var installation = await Installation.StartAsync(new InstallationOptions { Directory = options.Directory, Kafka = options.Kafka, Redis = options.Redis }, stop);
        await Caught.MakeTopicsAsync(catalog, installation, stop);
        using var host = WorkerRunner.Build(installation, catalog, services => AddWorkers(services, installation.Options), LogLevel.Warning);
        await host.StartAsync(stop);
        var api = host.Services.GetRequiredService<FeatureApiServer>().Address;
        installation.Endpoints(api, Path.GetFullPath(catalogPath)).Write(options.Directory);
        await File.WriteAllTextAsync(Path.Combine(options.Directory, "catalog.path"), Path.GetFullPath(catalogPath), stop);
        try
        {
            var exitCode = await WorkAsync(host, installation, catalog, api, stop);
            if (options.Stay)
            {
                DemoScreen.Line("Up until Ctrl-C.");
                await host.WaitForShutdownAsync(stop);
            }

            return exitCode;
        }
        finally
        {
            EndpointsFile.Delete(options.Directory);
            await host.StopAsync(CancellationToken.None);
        }
    }

    private async Task<int> WorkAsync(IHost host, Installation installation, Catalog catalog, string api, CancellationToken stop)
    {
        var caught = new Caught(catalog, installation, host.Services.GetRequiredService<ITopicEnds>());
        var started = total.Elapsed.TotalSeconds;
        DemoScreen.Line($"Kafka {installation.Kafka.BootstrapServers}, Redis {installation.RedisEndpoint.Configuration}, registry {installation.Registry.Url}, query API {api} ({started:F1} s)");
        await ReplayAsync(host, caught, stop);
        var replayed = total.Elapsed.TotalSeconds;
        var ledgers = await LedgerRunner.KeptAsync(catalog, installation.Store, stop);
        SavedLedger.Write(options.Directory, ledgers);
        await QueryAsync(host, catalog, stop);

        screen.Heading("Training set: one row a flight, the same features from the archive");
        var manifest = await BackfillCommand.RunAsync(catalog, new BackfillOptions
        {
            Service = Service,
            Archive = installation.Options.ArchiveDirectory,
            Output = Path.Combine(options.Directory, "training"),
            Label = Label,
            Served = options.Directory,
            Overwrite = true,
        }, stop);
        BackfillCommand.Print(manifest, Path.Combine(options.Directory, "training"));
        var backfilled = total.Elapsed.TotalSeconds;

        screen.Heading("Parity: every served vector recomputed from the archive");
        var parity = await Task.Run(() => ParityRunner.Run(catalog, new ParityOptions { Service = Service, Archive = installation.Options.ArchiveDirectory, Served = options.Directory }, cancellationToken: stop), stop);
        DemoScreen.Line(parity.ToString());
        foreach (var difference in parity.Differences)
            DemoScreen.Line($"  {difference}");
        var end = total.Elapsed.TotalSeconds;
        var report = new DemoReport(
            parity.ValuesCompared, parity.ValuesDiffering, parity.Vectors, Sum(catalog, ledgers, sources: true), Sum(catalog, ledgers, sources: false), manifest.Rows,
            new DemoTimings(started, replayed - started, backfilled - replayed, end - backfilled, end));
        report.Write(options.Directory);
        return Conclude(report, ledgers, installation, api, parity.ExitCode);
    }

    private async Task ReplayAsync(IHost host, Caught caught, CancellationToken stop)
    {
        screen.Heading("Replay: schedules, departures, landings and weather in order of arrival, as fast as the workers follow");
        var status = host.Services.GetRequiredService<ReplayStatus>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var last = (Produced: 0L, At: total.Elapsed);
        while (true)
        {
            var lag = await caught.LagAsync(stop);
            var produced = status.Sources.Sum(s => s.Produced);
            var rate = (produced - last.Produced) / Math.Max(0.001, (total.Elapsed - last.At).TotalSeconds);
            last = (produced, total.Elapsed);
            var clock = status.ArrivalTimeUs == PositionRecord.None ? "-" : TimeGrid.Format(status.ArrivalTimeUs)[..16];
            screen.Progress($"{clock}  {produced,9:N0} events  {rate,8:N0}/s  behind: stream {lag.Stream,6:N0}, triggers {lag.Triggers,6:N0}, archive {lag.Archive,7:N0}  dead-lettered {status.Sources.Sum(s => s.DeadLettered)}");
            if (status.Completion.IsCompleted)
            {
                await status.Completion;
                if (lag == (0, 0, 0))
                    break;
            }

            await timer.WaitForNextTickAsync(stop);
        }

        screen.EndProgress();
        foreach (var source in status.Sources)
            DemoScreen.Line($"  {source.Source,-18} {source.Produced,9:N0} produced, {source.NotWanted,7:N0} not wanted, {source.DeadLettered} dead-lettered");
    }

    private async Task QueryAsync(IHost host, Catalog catalog, CancellationToken stop)
    {
        screen.Heading("A query: JFK to Los Angeles with American, as of the end of the replay");
        var keys = new Dictionary<string, string>(StringComparer.Ordinal) { ["origin"] = "JFK", ["dest"] = "LAX", ["carrier"] = "AA", ["tailnum"] = "N338AA" };
        var asOf = host.Services.GetRequiredService<ReplayStatus>().ArrivalTimeUs;
        await GetCommand.PrintAsync(host.Services.GetRequiredService<FeatureReader>(), catalog, Service, keys, asOf, stop);
    }

    private int Conclude(DemoReport report, IReadOnlyList<KeptLedger> ledgers, Installation installation, string api, int parityExit)
    {
        var unbalanced = ledgers.Count(l => !l.Counts.Balances);
        screen.Heading("Result");
        var ledger = report.Ledger;
        DemoScreen.Line($"  ledger of the sources: {ledger.Read:N0} read = {ledger.Applied:N0} applied + {ledger.Late:N0} late + {ledger.Duplicate:N0} duplicate + {ledger.Filtered:N0} filtered + {ledger.DeadLettered:N0} dead-lettered{(unbalanced == 0 ? "" : $"; {unbalanced} PARTITIONS DO NOT BALANCE")}");
        DemoScreen.Line($"  {report.Timings.Total:F0} s in all: start {report.Timings.Start:F1}, replay {report.Timings.Replay:F1}, backfill {report.Timings.Backfill:F1}, parity {report.Timings.Parity:F1}");
        DemoScreen.Line($"  {options.Directory}/: archive/ (the logs), served/ (vectors as read online), training/ (Arrow files), report.json");
        screen.Heading("Try next");
        DemoScreen.Line($"  streamml parity --dir {options.Directory}      streamml ledger --dir {options.Directory}");
        if (options.Stay)
        {
            PrintLooks(installation);
            DemoScreen.Line($"  streamml get {Service} --dir {options.Directory} --entity origin=JFK dest=LAX carrier=AA tailnum=N338AA --as-of 2013-12-31T12:00:00Z      {api}/");
        }
        else
        {
            DemoScreen.Line("  streamml demo --stay     leaves the servers and the query API up, to look at with kcat, redis-cli and a browser");
        }

        DemoScreen.Line($"{report.ValuesDiffering} of {report.ValuesCompared} values differ");
        return parityExit == 0 && unbalanced == 0 ? 0 : CommandRunner.Failed;
    }

    // Record values are Avro behind five bytes that name the schema, states and positions are packed: keys are what a person can read.
    private static void PrintLooks(Installation installation)
    {
        var (kafka, port) = (installation.Kafka.BootstrapServers, installation.RedisEndpoint.Configuration.Split(':')[^1]);
        DemoScreen.Line($"  kcat -b {kafka} -L | grep topic      kcat -C -b {kafka} -t landings -p 0 -o -5 -c 5 -q -f '%T %k, %S bytes of Avro\n'");
        DemoScreen.Line($"  redis-cli -p {port} --scan --pattern '{{landings/*' | head      redis-cli -p {port} --scan --pattern '*route_landed@*/*' | head");
    }

    private void AddWorkers(IServiceCollection services, InstallationOptions installation)
    {
        services.AddArchiver();
        services.Configure<ArchiverOptions>(o => o.Directory = installation.ArchiveDirectory);
        services.AddStreamFeatures();
        services.AddFeatureApi(o => o.Url = options.Stay ? "http://127.0.0.1:8088" : "http://127.0.0.1:0");
        services.AddTriggerServing(o => o.Directory = options.Directory);
        services.AddReplay(o =>
        {
            o.MappingPath = Path.Combine(sample, "mapping.yaml");
            o.MaxAhead = options.MaxAhead;
            o.FromArrivalUs = TimeGrid.FromDateTime(options.From);
            o.UntilArrivalUs = TimeGrid.FromDateTime(options.Until);
        });
    }

    /// <summary>Removes what an earlier demo wrote, and nothing else.</summary>
    private void Clear()
    {
        foreach (var name in new[] { "archive", "served", "training", "registry" })
        {
            if (Directory.Exists(Path.Combine(options.Directory, name)))
                Directory.Delete(Path.Combine(options.Directory, name), recursive: true);
        }

        foreach (var name in new[] { "report.json", "ledger.json", "catalog.path", "endpoints.json" })
            File.Delete(Path.Combine(Directory.CreateDirectory(options.Directory).FullName, name));
    }

    private static DemoLedger Sum(Catalog catalog, IReadOnlyList<KeptLedger> ledgers, bool sources) =>
        DemoLedger.Of(ledgers.Where(l => catalog.Sources.Any(s => s.Topic == l.Partition.Topic) == sources).Aggregate(default(LedgerCounts), (sum, l) => sum + l.Counts));
}
