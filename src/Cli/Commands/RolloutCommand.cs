using System.CommandLine;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Registry;
using StreamMl.Infrastructure.Store;
using StreamMl.StreamFeatures.Rebuilding;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml rollout</c>: changed views beside those that run, until readers and workers have switched.</summary>
internal static class RolloutCommand
{
    private static readonly Option<string> Against = new("--against") { Description = "The catalogue of the workers that run", Required = true };
    private static readonly Option<bool> NoArchive = new("--no-archive") { Description = "Build from the topics alone; they must have their beginning still" };
    private static readonly Option<bool> UntilReady = new("--until-ready") { Description = "End when caught up, instead of keeping the views fresh until workers take them over" };

    public static Command Create()
    {
        var command = new Command("rollout", "Build the views that a new catalogue changes beside those that run, and say when to switch") { Against, UntilReady, NoArchive, RebuildCommand.Archive, ResetCommand.Group }.WithServers().WithCatalog();
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var options = arguments.Installation(findRunning: true);
        if (options.Redis is null || options.Kafka is null || options.Registry is null)
            throw new ArgumentException("a rollout works beside running workers: name their servers with --kafka, --redis and --registry");
        var (next, running) = (Catalogs.Load(arguments.CatalogPath()), Catalogs.Load(arguments.GetValue(Against)!));
        await using var redis = await RedisEndpoint.Of(options.Redis).ConnectAsync(stop);
        using var registry = new SchemaRegistryClient(options.Registry);
        using var settings = WorkerSettings.Of(arguments);
        var rollout = new Rollout(next, running, KafkaEndpoint.Of(options.Kafka), new RedisStateStore(redis), registry, settings.Features, TimeProvider.System, settings.Loggers)
        {
            ArchiveDirectory = arguments.GetValue(NoArchive) ? null : arguments.GetValue(RebuildCommand.Archive) ?? options.ArchiveDirectory,
            Built = p => Console.WriteLine($"{p.Partition}: built from the archive up to offset {p.ToOffset}"),
            CaughtUp = () => Console.WriteLine("Caught up. Switch now: put the new catalogue in the place of the file that the readers (`streamml serve`) were started with (mv), and each of them changes to all new versions at once, without a restart; then restart the workers (`streamml features`) with it"),
        };
        if (rollout.Views.Count == 0)
        {
            Console.WriteLine("No view changes: restart readers and workers with the new catalogue");
            return 0;
        }

        Console.WriteLine($"Building {string.Join(", ", rollout.Views)}");
        var taken = await rollout.RunAsync(stay: !arguments.GetValue(UntilReady), stop);
        Console.WriteLine(taken ? "Workers have taken the new versions over. When no reader uses the old ones any more: `streamml reset --old`" : "Ready; the new versions stand still until workers take them over");
        return 0;
    }
}
