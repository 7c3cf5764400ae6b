using System.CommandLine;
using Spectre.Console;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Redis;
using StreamMl.Infrastructure.Store;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Time;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml get SERVICE --entity origin=JFK ...</c>: the values that a model would read now.</summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var service = new Argument<string>("service") { Description = "A feature service of the catalogue" };
        var entity = new Option<string[]>("--entity", "-e") { Description = "Key fields as field=value", AllowMultipleArgumentsPerToken = true };
        var asOf = new Option<DateTimeOffset?>("--as-of") { Description = "Time of the read (ISO 8601); default now" };
        var command = new Command("get", "Read a service's features from the store") { service, entity, asOf }.WithServers().WithCatalog();
        command.SetAction(async (arguments, stop) =>
        {
            var options = arguments.Installation(findRunning: true);
            if (options.Redis is null)
                throw new ArgumentException($"no store: nothing runs in '{options.Directory}'. Start it with `streamml up` or `streamml demo --stay`, or name one with --redis");
            var catalog = Catalogs.Load(arguments.CatalogPath());
            await using var redis = await RedisEndpoint.Of(options.Redis).ConnectAsync(stop);
            var reader = new FeatureReader(new RedisStateStore(redis), new FeatureReaderOptions());
            var timeUs = TimeGrid.FromDateTime((arguments.GetValue(asOf) ?? TimeProvider.System.GetUtcNow()).UtcDateTime);
            await PrintAsync(reader, catalog, arguments.GetValue(service)!, Keys(arguments.GetValue(entity) ?? []), timeUs, stop);
            return 0;
        });
        return command;
    }

    /// <summary>Reads one vector and prints it view by view.</summary>
    public static async Task PrintAsync(FeatureReader reader, Catalog catalog, string service, IReadOnlyDictionary<string, string> keys, long timeUs, CancellationToken stop)
    {
        var served = ServedService.Compile(catalog, catalog.Service(service));
        var missing = served.Program.Keys.Select(k => k.Name).Where(k => !keys.ContainsKey(k)).ToList();
        if (missing.Count > 0)
            throw new ArgumentException($"service '{service}' needs {string.Join(", ", served.Program.Keys.Select(k => k.Name))}; add --entity {string.Join(' ', missing.Select(m => $"{m}=..."))}");
        var batch = new ReadBatch(served);
        batch.Add(timeUs, [.. served.Program.Keys.Select(k => keys[k.Name])]);
        await reader.ReadAsync(batch, stop);
        var table = new Table().Border(TableBorder.Simple).AddColumns("view", "position", "age", "features");
        for (var v = 0; v < served.Views.Count; v++)
        {
            var answer = batch.Answer(0, v);
            var view = served.Views[v];
            var values = served.Program.Columns.Select((c, i) => (Column: c, Index: i)).Where(c => c.Column.View == view.Name)
                .Select(c => $"{c.Column.Name}={Text(batch.Row(0).Get(c.Index, c.Column.Type))}");
            table.AddRow(
                Markup.Escape(view.Name), Markup.Escape($"{view.Log}/{answer.Partition}:{answer.NextOffset}"),
                answer.AgeUs is { } age ? TimeGrid.FromMicros(age).ToString(@"d\.hh\:mm\:ss") : "-", Markup.Escape(string.Join("  ", values)));
        }

        // Into a pipe or a file there is no window to fit: 80 columns would break every line.
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 200;
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(service)}[/] of {Markup.Escape(string.Join(' ', keys.Select(k => $"{k.Key}={k.Value}")))} as of {TimeGrid.Format(timeUs)}");
        AnsiConsole.Write(table);
    }

    private static string Text(object? value) => value switch
    {
        null => "null",
        double number => number.ToString("0.####"),
        _ => value.ToString() ?? "",
    };

    private static Dictionary<string, string> Keys(string[] entities) => entities.Select(e => e.Split('=', 2)).ToDictionary(
        p => p[0], p => p.Length == 2 ? p[1] : throw new ArgumentException($"--entity '{p[0]}': write it as field=value, as origin=JFK"), StringComparer.Ordinal);
}
