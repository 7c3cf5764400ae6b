using System.CommandLine;
using StreamMl.BatchBackfill.Ledger;
using StreamMl.BatchBackfill.Parity;
using StreamMl.Cli.Demo;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Commands;

/// <summary><c>parity</c> and <c>ledger</c>: the promise, checked on the files of a directory.</summary>
internal static class CheckCommands
{
    public static Command Parity()
    {
        var service = new Argument<string?>("service") { Description = "Whose served vectors; default: every service that has some", Arity = ArgumentArity.ZeroOrOne };
        var every = new Option<int>("--every") { Description = "Compare every n-th vector", DefaultValueFactory = _ => 1 };
        var command = new Command("parity", "Recompute served vectors from the archive and compare bytes; exit code 1 if one value differs") { service, every }.WithCatalog();
        command.Options.Add(CommonOptions.Directory);
        command.SetAction((arguments, stop) =>
        {
            var directory = arguments.GetValue(CommonOptions.Directory)!;
            var catalog = Catalogs.Load(arguments.CatalogPath());
            var worst = 0;
            foreach (var name in ServicesOf(catalog, directory, arguments.GetValue(service)))
            {
                var report = ParityRunner.Run(catalog, new ParityOptions { Service = name, Archive = new InstallationOptions { Directory = directory }.ArchiveDirectory, Served = directory, Every = arguments.GetValue(every) }, cancellationToken: stop);
                Console.WriteLine(report);
                foreach (var difference in report.Differences)
                    Console.WriteLine($"  {difference}");
                worst = Math.Max(worst, report.ExitCode);
            }

            return Task.FromResult(worst);
        });
        return command;
    }

    public static Command Ledger()
    {
        var command = new Command("ledger", "Count from the archive again what became of every record, and compare with what was kept; exit code 1 if they differ").WithServers().WithCatalog();
        command.SetAction(async (arguments, stop) =>
        {
            var options = arguments.Installation(findRunning: true);
            var catalog = Catalogs.Load(arguments.CatalogPath());
            var lines = LedgerRunner.Compare(catalog, options.ArchiveDirectory, await KeptAsync(catalog, options, stop), stop);
            foreach (var line in lines)
                Console.WriteLine(line);
            var wrong = lines.Count(l => !l.Agrees);
            Console.WriteLine($"{lines.Count} log partitions, {lines.Sum(l => l.Kept.Read):N0} records: {(wrong == 0 ? "every ledger balances and agrees with the archive" : $"{wrong} differ")}");
            return wrong == 0 && lines.Count > 0 ? 0 : CommandRunner.Failed;
        });
        return command;
    }

    /// <summary>From the store that runs, or as the last process of the directory left them.</summary>
    private static async Task<IReadOnlyList<KeptLedger>> KeptAsync(Catalog catalog, InstallationOptions options, CancellationToken stop)
    {
        if (options.Redis is null)
            return SavedLedger.Read(options.Directory);
        await using var redis = await RedisEndpoint.Of(options.Redis).ConnectAsync(stop);
        return await LedgerRunner.KeptAsync(catalog, new RedisStateStore(redis), stop);
    }

    private static IEnumerable<string> ServicesOf(Catalog catalog, string directory, string? named)
    {
        if (named is not null)
            return [named];
        string[] found = [.. catalog.Services.Select(s => s.Name).Where(s => Directory.Exists(ServedVectorSchema.DirectoryOf(directory, s)))];
        return found.Length > 0 ? found : throw new ArgumentException($"no served vectors under {Path.Combine(directory, "served")}: nothing was read by trigger yet. Run `streamml demo`, or `streamml serve` on a service with a trigger");
    }
}
