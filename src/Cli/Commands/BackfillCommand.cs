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
        var spine = new Option<string?>("--spine") { Description = "Label rows (.parquet, .arrow, .csv); default: a row per trigger event" };
        var time = new Option<string?>("--time") { Description = "The spine's time column" };
        var from = new Option<string?>("--from") { Description = "The archive; default: archive/ under --dir" };
        var output = new Option<string?>("--out") { Description = "Where the training set goes; default: training/ under --dir" };
        var label = new Option<string?>("--label") { Description = "A label from another source: \"late: arr_delay > 15 from landings on flight_id\"" };
        var eventTime = new Option<bool>("--event-time") { Description = "Order events by event time, not by arrival" };
        var delay = new Option<string>("--delay") { Description = "From event time to arrival, in event-time mode and for history files", DefaultValueFactory = _ => "0s" };
        var history = new Option<string[]>("--history") { Description = "source=FILE: events that never passed through a log" };
        var served = new Option<string?>("--served") { Description = "Use the prefixes that were served online: the directory above served/" };
        var memory = new Option<int>("--memory-mb") { Description = "Rows kept in memory, MiB", DefaultValueFactory = _ => 1024 };
        var cores = new Option<int>("--cores") { Description = "Threads", DefaultValueFactory = _ => Environment.ProcessorCount };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace a training set made from something else" };
        var command = new Command("backfill", "Make a point-in-time correct training set from the archive") { service, spine, time, from, output, label, eventTime, delay, history, served, memory, cores, overwrite }.WithCatalog();
        command.Options.Add(CommonOptions.Directory);
        command.SetAction(async (arguments, stop) =>
        {
            var directory = arguments.GetValue(CommonOptions.Directory)!;
            var options = new BackfillOptions
            {
                Service = arguments.GetValue(service)!,
                Spine = arguments.GetValue(spine),
                TimeColumn = arguments.GetValue(time),
                Label = arguments.GetValue(label),
                Archive = arguments.GetValue(from) ?? new InstallationOptions { Directory = directory }.ArchiveDirectory,
                Output = arguments.GetValue(output) ?? Path.Combine(directory, "training"),
                EventTime = arguments.GetValue(eventTime),
                Served = arguments.GetValue(served),
                MemoryBytes = (long)arguments.GetValue(memory) << 20,
                Cores = arguments.GetValue(cores),
                Overwrite = arguments.GetValue(overwrite),
                Delay = Durations.TryParse(arguments.GetValue(delay)!, out var d) ? d : throw new ArgumentException($"--delay '{arguments.GetValue(delay)}' is no duration, as 5m"),
                History = [.. (arguments.GetValue(history) ?? []).Select(h => h.Split('=', 2) is [var s, var f] ? new HistoryFile(s, f) : throw new ArgumentException($"--history '{h}': write it as source=FILE"))],
            };
            var manifest = await RunAsync(Catalogs.Load(arguments.CatalogPath()), options, stop);
            Print(manifest, options.Output);
            return 0;
        });
        return command;
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
