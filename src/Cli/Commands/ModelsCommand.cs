using System.CommandLine;
using System.Globalization;
using System.Text;
using Spectre.Console;
using StreamMl.Cli.Output;
using StreamMl.Infrastructure.Models;
using StreamMl.Shared.Models;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml models</c>: the registry.</summary>
internal static class ModelsCommand
{
    private static readonly Argument<string> Reference = new("model") { Description = "NAME (its champion), NAME@ALIAS or NAME@VERSION" };

    private static readonly Option<string?> Why = new("--why") { Description = "Goes to the journal" };

    public static Command Create() => new("models", "Look at registered models, promote and delete them") { List(), Show(), Promote(), Compare(), Delete() };

    private static Command List()
    {
        var name = new Argument<string?>("name") { Description = "Only this model", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("list", "List models and their versions, newest first") { name, TrackingOptions.Json, CommonOptions.Directory };
        command.SetAction(arguments =>
        {
            var store = Store(arguments);
            var entries = (arguments.GetValue(name) is { } only ? [only] : store.Names()).SelectMany(store.Versions).Select(e => (Entry: e, Folder: store.Open(e.Version))).ToList();
            if (arguments.GetValue(TrackingOptions.Json))
            {
                Write(entries.Select(e => new { e.Entry.Version.Name, e.Entry.Version.Version, e.Entry.Aliases, e.Entry.PublishedAt, e.Folder.Manifest.Service, e.Folder.Manifest.Task, e.Folder.Manifest.Lineage.RunId }).ToList());
                return 0;
            }

            var table = new FittedTable(
                new FittedColumn("model"), new FittedColumn("version"), new FittedColumn("aliases", 1, Color: _ => "green"), new FittedColumn("published", 3), new FittedColumn("test", 2), new FittedColumn("service", 4));
            foreach (var (entry, folder) in entries)
                table.Add(entry.Version.Name, entry.Version.Version, string.Join(' ', entry.Aliases), At(entry.PublishedAt), MainMetric(folder.Metrics()), folder.Manifest.Service);
            if (entries.Count == 0)
                AnsiConsole.MarkupLine("no models; `streamml train` registers them");
            else
                table.Write();
            return 0;
        });
        return command;
    }

    private static Command Show()
    {
        var command = new Command("show", "Show one version: what it is, what was measured, what was done to it") { Reference, TrackingOptions.Json, CommonOptions.Directory };
        command.SetAction(arguments =>
        {
            var store = Store(arguments);
            var folder = store.Open(store.Resolve(ModelReference.Parse(arguments.GetValue(Reference)!)));
            folder.Verify();
            var journal = store.Journal(folder.Version.Name).Where(c => c.Version == folder.Version.Version || c.From == folder.Version.Version).ToList();
            if (arguments.GetValue(TrackingOptions.Json))
                Write(new { folder.Version.Version, folder.Manifest, Metrics = folder.Metrics(), Journal = journal });
            else
                Print(folder, journal);
            return 0;
        });
        return command;
    }

    private static Command Promote()
    {
        var name = new Argument<string>("name") { Description = "The model" };
        var version = new Argument<string>("version") { Description = "The version, or its first digits, or an alias" };
        var alias = new Option<string>("--alias") { Description = "Which alias moves", DefaultValueFactory = _ => ModelNames.Champion };
        var expect = new Option<string?>("--expect") { Description = "Only if the alias points to this version now; none: only if it does not exist" };
        var command = new Command("promote", "Point an alias to a version") { name, version, alias, expect, Why, CommonOptions.Directory };
        command.SetAction(async (arguments, stop) =>
        {
            var store = Store(arguments);
            var to = store.Resolve(new ModelReference(arguments.GetValue(name)!, arguments.GetValue(version)!));
            // A damaged model is not for serving.
            store.Open(to).Verify();
            var note = new ChangeNote(Environment.UserName, arguments.GetValue(Why));
            var moving = arguments.GetValue(expect) is { } expected
                ? store.MoveAliasIfAsync(to, arguments.GetValue(alias)!, expected == "none" ? "" : store.Resolve(new ModelReference(to.Name, expected)).Version, note, stop)
                : store.MoveAliasAsync(to, arguments.GetValue(alias)!, note, stop);
            var from = await moving;
            Console.WriteLine(from == to.Version ? $"{to.Name}@{arguments.GetValue(alias)} is {to.Version} already" : $"{to.Name}@{arguments.GetValue(alias)}: {from ?? "(new)"} -> {to.Version}");
            return 0;
        });
        return command;
    }

    private static Command Compare()
    {
        var references = new Argument<string[]>("models") { Description = "Two or more of NAME, NAME@ALIAS or NAME@VERSION", Arity = new ArgumentArity(2, 10) };
        var command = new Command("compare", "Versions side by side") { references, TrackingOptions.Json, CommonOptions.Directory };
        command.SetAction(arguments =>
        {
            var store = Store(arguments);
            List<ModelFolder> folders = [.. arguments.GetValue(references)!.Select(r => store.Open(store.Resolve(ModelReference.Parse(r))))];
            var rows = Rows(folders).Where(r => r.Values.Distinct(StringComparer.Ordinal).Count() > 1).ToList();
            if (arguments.GetValue(TrackingOptions.Json))
            {
                Write(rows.Select(r => new { r.Name, Values = r.Values.Zip(folders).Select(p => new { Model = p.Second.Version.ToString(), Value = p.First }).ToList() }).ToList());
                return 0;
            }

            var table = SideBySide.Table(folders.Select(f => f.Version.Name));
            SideBySide.Add(table, "version", folders.Select(f => f.Version.Version));
            foreach (var (row, values) in rows)
                SideBySide.Add(table, row, values);
            table.Write();
            return 0;
        });
        return command;
    }

    private static Command Delete()
    {
        var name = new Argument<string>("name") { Description = "The model" };
        var version = new Argument<string?>("version") { Description = "The version; default: all that no alias points to", Arity = ArgumentArity.ZeroOrOne };
        var yes = new Option<bool>("--yes") { Description = "Delete; without it only says what would be" };
        var command = new Command("delete", "Delete versions that no alias points to; a dry run unless --yes") { name, version, yes, Why, CommonOptions.Directory };
        command.SetAction(async (arguments, stop) =>
        {
            var store = Store(arguments);
            List<ModelVersion> versions = arguments.GetValue(version) is { } one
                ? [store.Resolve(new ModelReference(arguments.GetValue(name)!, one))]
                : [.. store.Versions(arguments.GetValue(name)!).Where(e => e.Aliases.Count == 0).Select(e => e.Version)];
            foreach (var doomed in versions)
            {
                store.RequireDeletable(doomed);
                if (arguments.GetValue(yes))
                    await store.DeleteAsync(doomed, new ChangeNote(Environment.UserName, arguments.GetValue(Why)), stop);
                Console.WriteLine($"{(arguments.GetValue(yes) ? "deleted" : "would delete")} {doomed}");
            }

            if (versions.Count == 0)
                Console.WriteLine("nothing to delete: every version has an alias");
            else if (!arguments.GetValue(yes))
                Console.WriteLine("nothing is deleted yet; say --yes to do it");
            return 0;
        });
        return command;
    }

    private static ModelStore Store(ParseResult arguments) => ModelStore.In(arguments.GetValue(CommonOptions.Directory)!, TimeProvider.System);

    private static void Print(ModelFolder folder, List<ModelChange> journal)
    {
        var grid = new Grid().AddColumns(2);
        foreach (var (name, value) in Facts(folder).Where(f => f.Value is not null))
            grid.AddRow($"[grey]{name}[/]", Markup.Escape(value!));
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(folder.Version.ToString())}[/]  [green]all files are whole[/]");
        AnsiConsole.Write(grid);
        if (folder.Metrics() is { } metrics)
        {
            string[] names = [.. metrics.Splits.SelectMany(s => s.Metrics.Keys).Distinct(StringComparer.Ordinal).OrderByDescending(n => n == metrics.Main)];
            var table = new FittedTable([new FittedColumn("part"), new FittedColumn("rows", 1, IsRight: true), .. names.Select((n, i) => new FittedColumn(n, i + 2, IsRight: true))]);
            foreach (var split in metrics.Splits)
                table.Add([split.Name, split.Rows.ToString("N0", CultureInfo.InvariantCulture), .. names.Select(n => Number(split.Metrics.GetValueOrDefault(n)?.Value) ?? "")]);
            foreach (var baseline in metrics.Baselines)
                table.Add([baseline.Name, "", .. names.Select(n => Number(baseline.Metrics.GetValueOrDefault(n)?.Value) ?? "")]);
            table.Write();
        }

        foreach (var change in journal)
            AnsiConsole.MarkupLine($"[grey]{At(change.At)}[/]  {Markup.Escape(Said(change, folder.Version))}");
        if (folder.Has(ModelFiles.Report))
            AnsiConsole.MarkupLine($"report: {Markup.Escape(folder.PathOf(ModelFiles.Report))}");
        AnsiConsole.MarkupLine($"card:   {Markup.Escape(folder.PathOf(ModelFiles.Card))}");
    }

    private static string Said(ModelChange change, ModelVersion version)
    {
        var what = change.What != "alias" ? change.What : change.Version == version.Version ? $"became {change.Alias}" : $"is no longer {change.Alias}";
        return $"{what}{(change.Who is { } who ? $" by {who}" : "")}{(change.Why is { } why ? $": {why}" : "")}";
    }

    private static IEnumerable<(string Name, string? Value)> Facts(ModelFolder folder)
    {
        var (manifest, lineage) = (folder.Manifest, folder.Manifest.Lineage);
        return
        [
            ("task", manifest.Task.ToLowerInvariant()), ("label", manifest.Label), ("service", manifest.Service), ("definition", manifest.ServiceHash), ("inputs", manifest.Inputs.Count.ToString(CultureInfo.InvariantCulture)), ("run", lineage.RunId),
            ("training set", lineage.TrainingManifestHash), ("commit", lineage.GitCommit), ("seed", lineage.Seed?.ToString(CultureInfo.InvariantCulture)),
            ("size", $"{manifest.Files.Sum(f => f.Bytes) / 1024.0:N0} KiB in {manifest.Files.Count} files"),
        ];
    }

    private static IEnumerable<(string Name, string?[] Values)> Rows(List<ModelFolder> folders)
    {
        var metrics = folders.ConvertAll(f => f.Metrics());
        foreach (var (split, name) in metrics.SelectMany(m => m?.Splits ?? []).SelectMany(s => s.Metrics.Keys.Select(k => (s.Name, k))).Distinct())
            yield return ($"{split} {name}", [.. metrics.Select(m => Number(m?.Splits.FirstOrDefault(s => s.Name == split)?.Metrics.GetValueOrDefault(name)?.Value))]);
        foreach (var (column, value) in metrics.SelectMany(m => m?.Slices ?? []).Select(s => (s.Column, s.Value)).Distinct())
            yield return ($"{column} = {value}", [.. metrics.Select(m => m is null ? null : Number(m.Slices.FirstOrDefault(s => s.Column == column && s.Value == value)?.Metrics.GetValueOrDefault(m.Main)?.Value))]);
        foreach (var name in Facts(folders[0]).Select(f => f.Name))
            yield return (name, [.. folders.Select(f => Facts(f).First(x => x.Name == name).Value)]);
        var inputs = folders.ConvertAll(f => f.Manifest.Inputs.Select(i => i.Name).ToHashSet(StringComparer.Ordinal));
        foreach (var input in inputs.SelectMany(i => i).Distinct(StringComparer.Ordinal).Where(i => !inputs.TrueForAll(s => s.Contains(i))))
            yield return ($"input {input}", [.. inputs.Select(i => i.Contains(input) ? "yes" : null)]);
    }

    private static string MainMetric(ModelMetrics? metrics) =>
        metrics?.Splits.FirstOrDefault(s => s.Name == "test")?.Metrics.GetValueOrDefault(metrics.Main) is { } estimate ? $"{metrics.Main} {Number(estimate.Value)}" : "";

    private static string? Number(double? value) => value?.ToString("0.####", CultureInfo.InvariantCulture);

    private static string At(DateTimeOffset? at) => at?.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture) ?? "";

    private static void Write<T>(T value) => Console.Write(Encoding.UTF8.GetString(ModelJson.Write(value)));
}
