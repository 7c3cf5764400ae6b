using System.CommandLine;
using System.Globalization;
using System.Text;
using Spectre.Console;
using StreamMl.Cli.Output;
using StreamMl.Shared.Models;
using StreamMl.Training.Jobs;
using StreamMl.Training.Tracking;
using StreamMl.Training.Tracking.Search;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml runs</c>: training runs, listed, shown and compared.</summary>
internal static class RunsCommand
{
    private const int MaxMetricColumns = 4;

    public static Command Create() => new("runs", "Look at training runs") { List(), Show(), Compare(), RerunCommand.Create() };

    private static Command List()
    {
        var experiment = new Argument<string?>("experiment") { Description = "Only this one's runs", Arity = ArgumentArity.ZeroOrOne };
        var filter = new Option<string?>("--filter") { Description = "As \"metrics.auc > 0.7 and params.trees = '100'\"" };
        var sort = new Option<string[]>("--sort") { Description = "As metrics.auc, or \"metrics.auc asc\"; a metric alone is sorted from the highest", AllowMultipleArgumentsPerToken = true };
        var limit = new Option<int>("--limit") { Description = "Most rows shown", DefaultValueFactory = _ => 50 };
        var command = new Command("list", "List runs, newest first") { experiment, filter, sort, limit, TrackingOptions.Json, CommonOptions.Directory };
        command.SetAction(arguments =>
        {
            var store = Store(arguments);
            var query = RunQuery.Parse(arguments.GetValue(filter), (arguments.GetValue(sort) ?? []).Select(Order));
            var runs = query.Apply(store.Runs(arguments.GetValue(experiment)));
            var shown = runs.Take(arguments.GetValue(limit)).ToList();
            if (arguments.GetValue(TrackingOptions.Json))
                Write(shown.Select(Document).ToList());
            else
                Print(shown, runs.Count, query.Orders.Where(o => o.Field.Kind == RunFieldKind.Metric).Select(o => o.Field.Key).ToList());
            return 0;
        });
        return command;
    }

    private static Command Show()
    {
        var id = new Argument<string>("run") { Description = "Its id, or the beginning or the end of it" };
        var command = new Command("show", "Show one run") { id, TrackingOptions.Json, CommonOptions.Directory };
        command.SetAction(arguments =>
        {
            var run = Store(arguments).Load(arguments.GetValue(id)!);
            if (arguments.GetValue(TrackingOptions.Json))
                Write(Document(run));
            else
                PrintOne(run);
            return 0;
        });
        return command;
    }

    private static Command Compare()
    {
        var ids = new Argument<string[]>("runs") { Description = "Two or more", Arity = new ArgumentArity(2, 10) };
        var all = new Option<bool>("--all") { Description = "Also what is the same in all" };
        var command = new Command("compare", "Runs side by side: what differs") { ids, all, TrackingOptions.Json, CommonOptions.Directory };
        command.SetAction(arguments =>
        {
            var store = Store(arguments);
            List<Run> runs = [.. arguments.GetValue(ids)!.Select(store.Load)];
            var rows = Rows(runs).Where(r => arguments.GetValue(all) || r.Values.Distinct(StringComparer.Ordinal).Count() > 1).ToList();
            if (arguments.GetValue(TrackingOptions.Json))
                Write(rows.Select(r => new { r.Name, Values = (IReadOnlyDictionary<string, string?>)runs.Zip(r.Values).ToDictionary(p => p.First.Record.Id, p => p.Second, StringComparer.Ordinal) }).ToList());
            else
                PrintSideBySide(runs, rows);
            return 0;
        });
        return command;
    }

    private static RunStore Store(ParseResult arguments) => RunStore.In(arguments.GetValue(CommonOptions.Directory)!, TimeProvider.System);

    /// <summary>People want the best first.</summary>
    private static string Order(string text) =>
        text.StartsWith("metric", StringComparison.OrdinalIgnoreCase) && !text.Contains(' ', StringComparison.Ordinal) ? text + " DESC" : text;

    private static void Print(List<Run> runs, int found, List<string> first)
    {
        if (found == 0)
        {
            AnsiConsole.MarkupLine("no runs; `streamml train` makes them");
            return;
        }

        // The metrics that most runs have, those that are sorted by before all.
        string[] metrics = [.. first.Concat(runs.SelectMany(r => r.Metrics.Keys).CountBy(k => k).OrderByDescending(c => c.Value).ThenBy(c => c.Key.Length).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => c.Key)).Distinct(StringComparer.Ordinal).Take(Math.Max(MaxMetricColumns, first.Count))];
        // A status that all have tells nothing.
        var statusRank = runs.TrueForAll(r => r.Record.Status == RunStatus.Finished) ? metrics.Length + 4 : 2;
        var table = new FittedTable([
            new FittedColumn("run"), new FittedColumn("name", 2), new FittedColumn("status", statusRank, Color: StatusColor), new FittedColumn("took", metrics.Length + 3, IsRight: true),
            .. metrics.Select((m, i) => new FittedColumn(m, i == 0 ? 1 : i + 2, IsRight: true))]);
        foreach (var run in runs)
        {
            var record = run.Record;
            table.Add([record.Id, record.Name == record.Id ? "" : record.Name, record.Status.ToString().ToLowerInvariant(), Took(record), .. metrics.Select(m => Number(run.Metrics.GetValueOrDefault(m)))]);
        }

        // Names of experiments are long, and mostly all the same.
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(string.Join(", ", runs.Select(r => r.Record.Experiment).Distinct(StringComparer.Ordinal)))}[/]");
        table.Write();
        if (found > runs.Count)
            AnsiConsole.MarkupLine($"[grey]{found - runs.Count} more; --limit shows them[/]");
    }

    private static void PrintOne(Run run)
    {
        var record = run.Record;
        var grid = new Grid().AddColumns(2);
        void Row(string name, string? value)
        {
            if (value is not null)
                grid.AddRow($"[grey]{Markup.Escape(name)}[/]", Markup.Escape(value));
        }

        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(record.Name)}[/] of {Markup.Escape(record.Experiment)}: {Colored(record.Status)}");
        foreach (var (name, value) in Facts(record))
            Row(name, value);
        Row("error", record.Error);
        Row("files", run.Directory);
        Row("again", TrainingRerun.IsPossible(record) ? $"streamml runs rerun {record.Id}" : null);
        AnsiConsole.Write(grid);
        Block("metrics", run.Metrics.Select(m => (m.Key, Number(m.Value))));
        Block("parameters", record.Params.Select(p => (p.Key, p.Value)));
        Block("tags", record.Tags.Select(p => (p.Key, p.Value)));
        Block("seconds", record.TimingsSeconds.Select(p => (p.Key, p.Value.ToString("0.00", CultureInfo.InvariantCulture))));
    }

    private static void Block(string title, IEnumerable<(string Key, string Value)> lines)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns(title, "");
        foreach (var (key, value) in lines)
            table.AddRow(Markup.Escape(key), Markup.Escape(value));
        if (table.Rows.Count > 0)
            AnsiConsole.Write(table);
    }

    private static void PrintSideBySide(List<Run> runs, List<(string Name, string?[] Values)> rows)
    {
        var table = SideBySide.Table(runs.Select(r => ShortId(r.Record)));
        SideBySide.Add(table, "run", runs.Select(r => r.Record.Name == r.Record.Id ? r.Record.Id : r.Record.Name));
        foreach (var (name, values) in rows)
            SideBySide.Add(table, name, values);
        table.Write();
    }

    // The digits behind the time, which are enough to name a run.
    private static string ShortId(RunRecord record) => record.Id[(record.Id.LastIndexOf('-') + 1)..];

    private static IEnumerable<(string Name, string?[] Values)> Rows(List<Run> runs)
    {
        foreach (var key in runs.SelectMany(r => r.Metrics.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            yield return ($"metrics.{key}", [.. runs.Select(r => r.Metrics.TryGetValue(key, out var point) ? Number(point) : null)]);
        foreach (var key in runs.SelectMany(r => r.Record.Params.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            yield return ($"params.{key}", [.. runs.Select(r => r.Record.Params.GetValueOrDefault(key))]);
        foreach (var key in runs.SelectMany(r => r.Record.Tags.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            yield return ($"tags.{key}", [.. runs.Select(r => r.Record.Tags.GetValueOrDefault(key))]);
        foreach (var name in Facts(runs[0].Record).Select(f => f.Name))
            yield return (name, [.. runs.Select(r => Facts(r.Record).First(f => f.Name == name).Value)]);
    }

    private static IEnumerable<(string Name, string? Value)> Facts(RunRecord record) =>
    [
        ("started", record.StartedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)), ("took", Took(record)), ("service", record.Service), ("definition", record.ServiceHash), ("data", record.Data),
        ("data manifest", record.DataManifestHash), ("commit", record.GitCommit), ("seed", record.Seed?.ToString(CultureInfo.InvariantCulture)), ("variant", record.Variant), ("model", record.Model), ("user", record.User),
    ];

    private static string Took(RunRecord record) => record.EndedAt is { } end ? $"{(end - record.StartedAt).TotalSeconds:0.0} s" : "";

    private static string Number(MetricPoint? point) => point?.Value.ToString("0.####", CultureInfo.InvariantCulture) ?? "";

    private static string Colored(RunStatus status)
    {
        var text = status.ToString().ToLowerInvariant();
        return $"[{StatusColor(text)}]{text}[/]";
    }

    private static string StatusColor(string status) => status switch
    {
        "finished" => "green",
        "failed" or "killed" => "red",
        _ => "yellow",
    };

    private static object Document(Run run) => new { Run = run.Record, Metrics = (IReadOnlyDictionary<string, double>)run.Metrics.ToDictionary(m => m.Key, m => m.Value.Value, StringComparer.Ordinal), run.Directory };

    private static void Write<T>(T value) => Console.Write(Encoding.UTF8.GetString(ModelJson.Write(value)));
}
