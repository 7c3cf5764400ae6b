using System.CommandLine;
using StreamMl.Cli.Hosting;
using StreamMl.Cli.Maintaining;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml reset</c>: forgets states and positions, after saying which.</summary>
internal static class ResetCommand
{
    public static readonly Option<string> Group = new("--group") { Description = "Consumer group of the stream workers", DefaultValueFactory = _ => "streamml.features" };

    public static readonly Option<bool> Force = new("--force") { Description = "Even though workers may own the partitions" };

    private static readonly Argument<string[]> Views = new("views") { Description = "Views, in the version that the catalogue defines", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<bool> All = new("--all") { Description = "Every view of the catalogue, with the positions, ledgers and routes of its logs" };
    private static readonly Option<bool> Old = new("--old") { Description = "Versions of views that no catalogue names any more" };
    private static readonly Option<string[]> Keep = new("--keep") { Description = "With --old: other catalogues that are in use", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<bool> Yes = new("--yes") { Description = "Do it; without this, what would be deleted is listed" };

    public static Command Create()
    {
        var command = new Command("reset", "Delete states and positions of views from the store; without --yes, only list them") { Views, All, Old, Keep, Yes, Force, Group }.WithServers().WithCatalog();
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var options = arguments.Installation(findRunning: true);
        if (options.Redis is null)
            throw new ArgumentException($"no store: nothing runs in '{options.Directory}', and an embedded store is forgotten with its process. Name a server with --redis");
        var selection = Selection(arguments);
        await using var redis = await RedisEndpoint.Of(options.Redis).ConnectAsync(stop);
        var sweep = new StoreSweep(redis);
        var counts = await sweep.CountAsync(selection.Has, stop);
        foreach (var line in counts.GroupBy(c => (c.Key.View, c.Key.Hash8, c.Key.Log.Topic)))
            Console.WriteLine($"{(line.Key.View.Length > 0 ? $"{line.Key.View}@{line.Key.Hash8}" : "the log itself"),-40} {line.Key.Topic,-30} {Text(line)}");
        if (counts.Count == 0)
        {
            Console.WriteLine("Nothing of this is in the store");
            return 0;
        }

        if (!arguments.GetValue(Yes))
        {
            Console.WriteLine($"{counts.Sum(c => c.Count):N0} keys would be deleted: add --yes");
            return 0;
        }

        return await DeleteAsync(arguments, options, sweep, selection, stop);
    }

    private static async Task<int> DeleteAsync(ParseResult arguments, InstallationOptions options, StoreSweep sweep, ResetSelection selection, CancellationToken stop)
    {
        // Nobody writes versions that no catalogue names; a worker of an old catalogue that still does is met by its position, which comes back.
        if (!arguments.GetValue(Force) && !arguments.GetValue(Old))
            await Workers.RequireNoneAsync(options, arguments.GetValue(Group)!, stop);
        var deleted = await sweep.DeleteAsync(selection.Has, stop);
        Console.WriteLine($"{deleted:N0} keys deleted");
        if (!arguments.GetValue(Old))
            Console.WriteLine("Next: `streamml rebuild` makes them from the archive; without one, start the stream worker, which begins at the first offset that Kafka still has");
        return 0;
    }

    private static ResetSelection Selection(ParseResult arguments)
    {
        var (views, all, old) = (arguments.GetValue(Views) ?? [], arguments.GetValue(All), arguments.GetValue(Old));
        if ((views.Length > 0 ? 1 : 0) + (all ? 1 : 0) + (old ? 1 : 0) != 1)
            throw new ArgumentException("name what to reset: views by name, or --all, or --old (one of the three)");
        var catalog = Catalogs.Load(arguments.CatalogPath());
        return old
            ? ResetSelection.Old([catalog, .. (arguments.GetValue(Keep) ?? []).Select(Catalogs.Load)])
            : all ? ResetSelection.All(catalog) : ResetSelection.Views(catalog, views);
    }

    private static string Text(IEnumerable<StoredCount> counts) =>
        string.Join(", ", counts.GroupBy(c => c.Key.Kind).OrderBy(g => g.Key).Select(g => $"{g.Sum(c => c.Count):N0} {Name(g.Key)}"));

    private static string Name(StoreKeyKind kind) => kind switch
    {
        StoreKeyKind.State => "states",
        StoreKeyKind.Ledger => "ledgers",
        StoreKeyKind.Routes => "routes",
        StoreKeyKind.Topic => "topic records",
        _ => "positions",
    };
}
