using System.CommandLine;
using StreamMl.Cli.Hosting;
using StreamMl.Cli.Maintaining;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml reset</c>: forgets states and positions, after saying which.</summary>
internal static class ResetCommand
{
    public static readonly Option<string?> Group = new("--group") { Description = "Consumer group of the stream workers; default: Features__GroupId of the environment, else streamml.features" };

    public static readonly Option<bool> Force = new("--force") { Description = "Even though workers may own the partitions" };

    private static readonly Argument<string[]> Views = new("views") { Description = "Views, in the version that the catalogue defines", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<bool> All = new("--all") { Description = "Every view of the catalogue, with the positions, ledgers and routes of its logs" };
    private static readonly Option<bool> Old = new("--old") { Description = "Versions of views that no catalogue names any more; refused where a worker, rollout or reader has one" };
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
        var catalogues = Catalogues(arguments);
        var selection = Selection(arguments, catalogues);
        await using var redis = await RedisEndpoint.Of(options.Redis).ConnectAsync(stop);
        var sweep = new StoreSweep(redis);
        var counts = await sweep.CountAsync(selection.Has, stop);
        foreach (var line in counts.GroupBy(c => (c.Key.View, c.Key.Hash8, c.Key.Log.Topic)))
            Console.WriteLine($"{(line.Key.View.Length > 0 ? $"{line.Key.View}@{line.Key.Hash8}" : "the log itself"),-40} {line.Key.Topic,-30} {Text(line)}");
        if (counts.Count == 0)
            Console.WriteLine("Nothing of this is in the store");
        if (counts.Count == 0 && (!arguments.GetValue(Yes) || selection.Positions.Count == 0))
            return 0;
        if (!arguments.GetValue(Yes))
        {
            Console.WriteLine($"{counts.Sum(c => c.Count):N0} keys would be deleted: add --yes");
            return 0;
        }

        using var settings = WorkerSettings.Of(arguments);
        if (arguments.GetValue(Force))
            return await DeleteAsync(arguments, new RedisStateStore(redis), sweep, selection, stop);
        if (arguments.GetValue(Old))
        {
            // Workers of the catalogue may run: what is old is not theirs. Whose it is, the store tells.
            await new OldVersions(new RedisStateStore(redis), catalogues, TimeProvider.System)
                .RequireUnusedAsync(counts, group => Workers.IsActiveAsync(options, group, stop), settings.Features.GroupId, stop);
        }
        else
        {
            await Workers.RequireNoneAsync(options, settings.Features.GroupId, stop);
        }

        return await DeleteAsync(arguments, new RedisStateStore(redis), sweep, selection, stop);
    }

    private static async Task<int> DeleteAsync(ParseResult arguments, RedisStateStore store, StoreSweep sweep, ResetSelection selection, CancellationToken stop)
    {
        var deleted = await sweep.DeleteAsync(selection.Has, stop);
        await StartAnew.SayAsync(store, selection.Positions, stop);
        Console.WriteLine($"{deleted:N0} keys deleted");
        if (!arguments.GetValue(Old))
            Console.WriteLine("Next: `streamml rebuild` makes them from the archive; without one, start the stream worker, which begins at the first offset that Kafka still has");
        return 0;
    }

    private static ResetSelection Selection(ParseResult arguments, IReadOnlyList<Catalog> catalogues)
    {
        var (views, all, old) = (arguments.GetValue(Views) ?? [], arguments.GetValue(All), arguments.GetValue(Old));
        if ((views.Length > 0 ? 1 : 0) + (all ? 1 : 0) + (old ? 1 : 0) != 1)
            throw new ArgumentException("name what to reset: views by name, or --all, or --old (one of the three)");
        return old ? ResetSelection.Old(catalogues) : all ? ResetSelection.All(catalogues[0]) : ResetSelection.Views(catalogues[0], views);
    }

    /// <summary>The catalogue, and those that --keep names.</summary>
    private static IReadOnlyList<Catalog> Catalogues(ParseResult arguments) => [Catalogs.Load(arguments.CatalogPath()), .. (arguments.GetValue(Keep) ?? []).Select(Catalogs.Load)];

    private static string Text(IEnumerable<StoredCount> counts) =>
        string.Join(", ", counts.GroupBy(c => c.Key.Kind).OrderBy(g => g.Key).Select(g => $"{g.Sum(c => c.Count):N0} {Name(g.Key)}"));

    private static string Name(StoreKeyKind kind) => kind switch
    {
        StoreKeyKind.State => "states",
        StoreKeyKind.Ledger => "ledgers",
        StoreKeyKind.Routes => "routes",
        StoreKeyKind.Topic => "topic records",
        StoreKeyKind.Beside => "notes of rollouts",
        StoreKeyKind.Reader => "notes of readers",
        StoreKeyKind.Anew => "notes to begin anew",
        _ => "positions",
    };
}
