using System.CommandLine;
using Spectre.Console;
using StreamMl.BatchBackfill;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml backfill</c>: a point-in-time training set from the archive.</summary>
internal static class BackfillCommand
{
    public static Command Create()
    {
        var service = new Argument<string>("service") { Description = "The service whose features are computed" };
        var command = new Command("backfill", "Make a point-in-time correct training set from the archive") { service }.WithCatalog();
        var values = new Dictionary<string, Func<ParseResult, IReadOnlyList<string>>>(StringComparer.Ordinal);
        foreach (var argument in BackfillArguments.All)
            values[argument.Name] = Add(command, argument);
        command.Options.Add(CommonOptions.Directory);
        command.SetAction(async (arguments, stop) =>
        {
            var directory = arguments.GetValue(CommonOptions.Directory)!;
            var archive = new InstallationOptions { Directory = directory }.ArchiveDirectory;
            var options = BackfillArguments.ToOptions(arguments.GetValue(service)!, name => values[name](arguments), archive, Path.Combine(directory, "training"));
            var manifest = await RunAsync(Catalogs.Load(arguments.CatalogPath()), options, stop);
            Print(manifest, options.Output);
            return 0;
        });
        return command;
    }

    private static Func<ParseResult, IReadOnlyList<string>> Add(Command command, BackfillArgument argument)
    {
        var help = argument.Name switch
        {
            BackfillArguments.From => $"{argument.Help}; default: archive/ under --dir",
            BackfillArguments.Out => $"{argument.Help}; default: training/ under --dir",
            _ => argument.Help,
        };
        if (argument.IsFlag)
        {
            var flag = new Option<bool>(argument.Name) { Description = help };
            command.Options.Add(flag);
            return arguments => arguments.GetValue(flag) ? [argument.Name] : [];
        }

        var option = new Option<string[]>(argument.Name) { Description = help, HelpName = argument.Value };
        command.Options.Add(option);
        return arguments => arguments.GetValue(option) ?? [];
    }

    /// <summary>Runs with a progress bar where somebody looks.</summary>
    public static async Task<TrainingManifest> RunAsync(Catalog catalog, BackfillOptions options, CancellationToken stop)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive)
            return await Task.Run(() => BackfillRunner.Run(catalog, options, cancellationToken: stop), stop);
        return await AnsiConsole.Progress().StartAsync(async screen =>
        {
            var bar = screen.AddTask("backfill");
            return await Task.Run(() => BackfillRunner.Run(catalog, options, p =>
            {
                bar.Description = p.Stage;
                bar.MaxValue = Math.Max(1, p.Total);
                bar.Value = p.Done;
            }, stop), stop);
        });
    }

    public static void Print(TrainingManifest manifest, string output)
    {
        Console.WriteLine($"{manifest.Rows:N0} rows x {manifest.Columns.Count(c => c.Role == ColumnRoles.Feature)} features in {output} ({manifest.Files.Count} files, manifest.json)");
        foreach (var (reason, rows) in manifest.LeftOut)
            Console.WriteLine($"  left out {rows:N0}: {reason}");
    }
}
