using System.CommandLine;
using System.Globalization;
using StreamMl.Cli.Explaining;
using StreamMl.Cli.Hosting;
using StreamMl.Cli.Output;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Time;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml explain PREDICTION-ID</c>: why a score is what it is, and that the archive gives it again.</summary>
internal static class ExplainCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("prediction-id") { Description = "As in the predictions topic: model@version/topic/partition/offset" };
        var top = new Option<int>("--top") { Description = "Inputs that are shown, by their contribution", DefaultValueFactory = _ => 25 };
        var scoring = new Option<string?>("--scoring") { Description = "The scoring policies; default: scoring.yaml beside the catalogue, if it is there" };
        var command = new Command("explain", "Recompute a prediction from the archive and show what made its score; exit code 1 if it differs") { id, top, scoring }.WithServers().WithCatalog();
        command.SetAction(async (arguments, stop) =>
        {
            var options = arguments.Installation(findRunning: true);
            var catalogPath = arguments.CatalogPath();
            var archive = new ArchiveLayout(options.ArchiveDirectory);
            using var registry = options.Registry is { } url ? new SchemaRegistryClient(url) : null;
            var finder = new PredictionFinder(archive, options.Kafka is { } kafka ? KafkaEndpoint.Of(kafka) : null, registry);
            var policies = Scoring.Policies(arguments.GetValue(scoring), catalogPath);
            var explainer = new PredictionExplainer(Catalogs.Load(catalogPath), ModelStore.In(options.Directory, TimeProvider.System), archive, finder, policies);
            var explained = await explainer.ExplainAsync(PredictionId.Parse(arguments.GetValue(id)!), stop);
            Print(explained, arguments.GetValue(top));
            return explained.IsEqual ? 0 : CommandRunner.Failed;
        });
        return command;
    }

    public static void Print(ExplainedPrediction explained, int top)
    {
        var p = explained.Prediction;
        Console.WriteLine($"{p.Id} ({p.Variant}), from the {explained.Where}");
        Console.WriteLine($"event at {TimeGrid.Format(TimeGrid.FromDateTime(p.EventTime))}: {string.Join(' ', p.TriggerFields.Select(f => $"{f.Key}={Text(f.Value)}"))}");
        Console.WriteLine($"score {Number(p.Score)}{(p.Threshold is { } t ? $", threshold {Number(t)}" : "")}, decision {p.Decision ?? "none"}{(p.Flags.Count > 0 ? $", flags {string.Join(' ', p.Flags)}" : "")}{(p.IsCaughtUp ? "" : ", views had not caught up")}");
        if (explained.Explanation is { } e)
            Console.WriteLine($"{e.Space}: base {Number(e.BaseValue)} + contributions {Number(e.Contributions.Sum())} = {Number(e.Total)}");
        else
            Console.WriteLine("the model cannot tell contributions");
        var table = new FittedTable(
            new FittedColumn("input"), new FittedColumn("value"), new FittedColumn("contribution", IsRight: true), new FittedColumn("age", 2, IsRight: true), new FittedColumn("position", 3), new FittedColumn("recomputed", 1));
        foreach (var input in explained.Inputs.OrderByDescending(i => !i.IsSame).ThenByDescending(i => Math.Abs(i.Contribution ?? 0)).Take(top))
        {
            table.Add(
                input.Name, Text(input.Served), input.Contribution is { } c ? c.ToString("+0.0000;-0.0000;0", CultureInfo.InvariantCulture) : "-",
                input.View?.AgeUs is { } age ? TimeGrid.FromMicros(age).ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture) : "-",
                input.View is { } view ? $"{view.Log}/{view.Partition} [0, {view.NextOffset})" : "event",
                input.IsDefault ? "default" : input.IsSame ? "equal" : $"{Text(input.Recomputed)}: differs");
        }

        table.Write();
        if (explained.Inputs.Count > top)
            Console.WriteLine($"({explained.Inputs.Count - top} inputs more; --top {explained.Inputs.Count} shows all)");
        Console.WriteLine(explained.IsEqual
            ? $"recomputed: equal ({explained.Inputs.Count} inputs and the score, bit for bit)"
            : $"recomputed: differs ({explained.Differing} of {explained.Inputs.Count} inputs; score {Number(p.Score)} then, {string.Join(' ', explained.Scores.Select(Number))} now)");
    }

    private static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);

    private static string Text(object? value) => value switch
    {
        null => "null",
        double number => number.ToString("0.######", CultureInfo.InvariantCulture),
        DateTime time => TimeGrid.Format(TimeGrid.FromDateTime(time)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
