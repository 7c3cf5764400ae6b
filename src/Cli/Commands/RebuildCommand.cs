using System.CommandLine;
using StreamMl.Cli.Hosting;
using StreamMl.Cli.Maintaining;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;
using StreamMl.StreamFeatures.Rebuilding;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml rebuild</c>: store state from the archive, handed over to the stream at an exact offset.</summary>
internal static class RebuildCommand
{
    public static readonly Option<string?> Archive = new("--archive") { Description = "Directory of the archive; default: archive under --dir" };

    private static readonly Argument<string[]> Views = new("views") { Description = "Views, in the version that the catalogue defines", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<bool> All = new("--all") { Description = "Every view of the catalogue, with the positions, ledgers and routes of its logs" };
    private static readonly Option<bool> Resume = new("--resume") { Description = "Go on from what the store has of them, as after a rebuild that was cut short" };
    private static readonly Option<bool> Yes = new("--yes") { Description = "Delete first what the store has of them; without this, it is only listed" };

    public static Command Create()
    {
        var command = new Command("rebuild", "Make states from the archive, up to the offset from which the stream worker goes on") { Views, All, Resume, Yes, Archive, ResetCommand.Force, ResetCommand.Group }.WithServers().WithCatalog();
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var (views, all) = (arguments.GetValue(Views) ?? [], arguments.GetValue(All));
        if (views.Length > 0 == all)
            throw new ArgumentException("name what to rebuild: views by name, or --all (one of the two)");
        var options = arguments.Installation(findRunning: true);
        if (options.Redis is null || options.Kafka is null)
            throw new ArgumentException("a rebuild hands over from the archive to the topics: name the servers with --kafka and --redis");
        var catalog = Catalogs.Load(arguments.CatalogPath());
        var selection = all ? ResetSelection.All(catalog) : ResetSelection.Views(catalog, views);
        await using var redis = await RedisEndpoint.Of(options.Redis).ConnectAsync(stop);
        var sweep = new StoreSweep(redis);
        using var settings = WorkerSettings.Of(arguments);
        if (!await IsOrderedAsync(arguments, options, settings.Features.GroupId, sweep, selection, stop))
            return CommandRunner.Failed;
        var rebuild = new Rebuild(
            catalog, arguments.GetValue(Archive) ?? options.ArchiveDirectory, KafkaEndpoint.Of(options.Kafka), new RedisStateStore(redis), settings.Features, TimeProvider.System, settings.Loggers)
        {
            MakeRoomAsync = token => arguments.GetValue(Yes) && !arguments.GetValue(Resume) ? DeleteAsync(sweep, selection, token) : Task.CompletedTask,
            Done = p => Console.WriteLine($"{p.Partition}: offsets {p.FromOffset} to {p.ToOffset}, {p.States:N0} states written{(p.TakenOver ? "; a worker took over here and goes on" : "")}"),
        };
        var done = all ? await rebuild.AllAsync(stop) : await rebuild.ViewsAsync(views, stop);
        Console.WriteLine($"{done.Count} log partitions rebuilt. Next: start the stream worker with this catalogue; it goes on at these offsets");
        return 0;
    }

    /// <summary>False where the store has something of them and nobody said what to do with it.</summary>
    private static async Task<bool> IsOrderedAsync(ParseResult arguments, InstallationOptions options, string group, StoreSweep sweep, ResetSelection selection, CancellationToken stop)
    {
        // Readers that run say again and again what they read: no states are lost with that.
        var counts = await sweep.CountAsync(k => k.Kind is not (StoreKeyKind.Reader or StoreKeyKind.Beside) && selection.Has(k), stop);
        var writesPositionsOfLogs = arguments.GetValue(All);
        if ((counts.Count > 0 || writesPositionsOfLogs) && !arguments.GetValue(ResetCommand.Force))
            await Workers.RequireNoneAsync(options, group, stop);
        if (counts.Count == 0 || arguments.GetValue(Resume) || arguments.GetValue(Yes))
            return true;
        Console.WriteLine($"The store has {counts.Sum(c => c.Count):N0} keys of these: add --yes to delete them first, or --resume to go on from them");
        return false;
    }

    private static async Task DeleteAsync(StoreSweep sweep, ResetSelection selection, CancellationToken stop)
    {
        if (await sweep.DeleteAsync(selection.Has, stop) is > 0 and var deleted)
            Console.WriteLine($"{deleted:N0} keys deleted");
    }
}
