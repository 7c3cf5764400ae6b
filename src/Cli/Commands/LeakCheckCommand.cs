using System.CommandLine;
using Spectre.Console;
using StreamMl.Cli.Hosting;
using StreamMl.Infrastructure.Models;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Models;
using StreamMl.Training.Configuration;
using StreamMl.Training.Leakage;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml leakcheck DATA</c>: what a training set knows and serving will not.</summary>
internal static class LeakCheckCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("data") { Description = "A training set's folder, or one table (.arrow, .parquet, .csv)" };
        var label = new Option<string?>("--label") { Description = "The label's column; default: the manifest's" };
        var time = new Option<string?>("--time") { Description = "The rows' time, for a table without a manifest" };
        var labelTime = new Option<string?>("--label-time") { Description = "Column that says when the label was known, for such a table" };
        var validation = new Option<DateTimeOffset?>("--validation-from") { Description = "First moment of the validation part; default: after 70% of the rows" };
        var test = new Option<DateTimeOffset?>("--test-from") { Description = "First moment of the test part; default: after 85% of the rows" };
        var gap = new Option<string?>("--gap") { Description = "Time before each boundary whose rows are left out, as 1d; default: rows whose label was not known then" };
        var part = new Option<string?>("--part-column") { Description = "Column that names each row's part (train, validation, test), instead of a split by time" };
        var entity = new Option<string[]>("--entity") { Description = "Columns of which all rows with the same values were to be in one part", AllowMultipleArgumentsPerToken = true };
        var config = new Option<string?>("--config") { Description = "A training configuration, whose label and split are looked at" };
        var model = new Option<string?>("--model") { Description = "A registered model, as late@champion: its configuration's split, and whether its statistics were fitted on the training part alone" };
        var skip = new Option<string[]>("--skip") { Description = "Checks that are left out, as event-times: someone looked, and it is no fault", AllowMultipleArgumentsPerToken = true };
        var command = new Command("leakcheck", "Look for labels, rows and statistics that a training set knows and serving will not; exit code 1 if it finds any")
        {
            data, label, time, labelTime, validation, test, gap, part, entity, config, model, skip, TrackingOptions.Json, CommonOptions.Directory, CommonOptions.Catalog,
        };
        command.SetAction(arguments =>
        {
            var (declared, fitted) = Model(arguments.GetValue(model), arguments.GetValue(CommonOptions.Directory)!);
            var report = LeakChecker.Run(new LeakRequest
            {
                Data = arguments.GetValue(data)!,
                Label = arguments.GetValue(label),
                Time = arguments.GetValue(time),
                LabelTime = arguments.GetValue(labelTime),
                Config = arguments.GetValue(config) is { } path ? TrainConfigFile.Load(path) : declared,
                Model = fitted,
                Catalog = CatalogOf(arguments),
                Skip = arguments.GetValue(skip) ?? [],
                Split = new LeakSplit
                {
                    ValidationFrom = arguments.GetValue(validation),
                    TestFrom = arguments.GetValue(test),
                    Gap = Gap(arguments.GetValue(gap)),
                    PartColumn = arguments.GetValue(part),
                    Entity = arguments.GetValue(entity) ?? [],
                },
            });
            if (arguments.GetValue(TrackingOptions.Json))
                Console.Write(System.Text.Encoding.UTF8.GetString(report.ToJson()));
            else
                Print(report);
            return report.IsClean ? 0 : CommandRunner.Failed;
        });
        return command;
    }

    /// <summary>The catalogue that is named, or of the directory or the current folder where one is there: most checks do without.</summary>
    private static Catalog? CatalogOf(ParseResult arguments)
    {
        var path = arguments.CatalogPath();
        return arguments.GetValue(CommonOptions.Catalog) is not null || File.Exists(path) ? Catalogs.Load(path) : null;
    }

    private static (TrainConfig? Config, FittedModel? Fitted) Model(string? reference, string directory)
    {
        if (reference is null)
            return (null, null);
        var store = ModelStore.In(directory, TimeProvider.System);
        var folder = store.Open(store.Resolve(ModelReference.Parse(reference)));
        if (folder.Manifest.Lineage.Config is not { } text)
            throw new ModelException($"{folder.Version} does not say how it was trained, so its statistics cannot be fitted again");
        var (config, problems) = TrainConfigFile.Parse(text, $"{folder.Version} {ModelManifest.FileName}");
        if (config is null)
            throw new ModelException(string.Join('\n', problems));
        var document = ModelDocument.Read(folder.Read(ModelFiles.Model), folder.PathOf(ModelFiles.Model));
        return (config, new FittedModel(config.Pipeline, document.Pipeline, new FitOptions(document.Task, Math.Max(2, document.Classes.Count), config.Seed), SampleOf(config)));
    }

    private static string? SampleOf(TrainConfig config) => config switch
    {
        { Sampling.Kind: not SamplingKind.None } => $"sampling {config.Sampling.Kind}",
        { Imbalance.Kind: not ImbalanceKind.None } => $"imbalance {config.Imbalance.Kind}",
        _ => null,
    };

    private static void Print(LeakReport report)
    {
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(report.Data)}[/]  {string.Join(", ", report.Rows.Select(r => $"{r.Key} {r.Value:N0}"))}");
        var table = new Table().Border(TableBorder.Simple).AddColumns("check", "", "what was looked at");
        foreach (var check in report.Checks)
            table.AddRow(check.Check, check.Outcome switch { "passed" => "[green]passed[/]", "found" => "[red]found[/]", _ => "[grey]skipped[/]" }, Markup.Escape(check.Note));
        AnsiConsole.Write(table);
        foreach (var finding in report.Findings)
        {
            AnsiConsole.MarkupLine($"[red]{finding.Check}[/]  {Markup.Escape(finding.What)}");
            AnsiConsole.MarkupLine($"  {Markup.Escape(finding.Measure)}: [bold]{finding.Evidence:0.####}[/] (limit {finding.Limit:0.####}){(finding.Examples.Count > 0 ? Markup.Escape($"; {string.Join(", ", finding.Examples)}") : "")}");
            AnsiConsole.MarkupLine($"  {Markup.Escape(finding.Remedy)}.");
        }

        AnsiConsole.MarkupLine(report.IsClean ? "[green]nothing leaks[/]" : $"[red]{report.Findings.Count} findings[/]");
    }

    private static TimeSpan? Gap(string? text) => text is null ? null
        : text == "0" ? TimeSpan.Zero
        : Durations.TryParse(text, out var gap) ? gap : throw new ArgumentException($"--gap '{text}' is no duration; write a whole number and s, m, h or d, as 1d");
}
