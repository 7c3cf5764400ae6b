using System.CommandLine;
using System.Globalization;
using StreamMl.Shared.Models;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;
using StreamMl.Training.Jobs;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml train</c>: from a training set to a registered model.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var service = new Argument<string?>("service") { Description = "The service whose features the set has; default: the one of the set", Arity = ArgumentArity.ZeroOrOne };
        var data = new Option<string?>("--data") { Description = "The training set; default: training/ under --dir" };
        var label = new Option<string?>("--label") { Description = "The label's column; default: that of the configuration, or of the set" };
        var config = new Option<string>("--config") { Description = "The configuration (docs/training.md)", DefaultValueFactory = _ => "train.yaml" };
        var register = new Option<string?>("--register") { Description = "Register the model under this name" };
        var alias = new Option<string?>("--alias") { Description = "And move this alias to it: champion, challenger" };
        var variant = new Option<string?>("--variant") { Description = "Train with this variant's features" };
        var all = new Option<bool>("--all-variants") { Description = "Train every variant too, without registering it, and compare" };
        var experiment = new Option<string?>("--experiment") { Description = "Under which the runs are compared; default: the service" };
        var seed = new Option<long?>("--seed") { Description = "Instead of the configuration's" };
        var verify = new Option<bool>("--verify") { Description = "Compare the set's files with their hashes first" };
        var command = new Command("train", "Train a model on a training set, measure it, and register it") { service, data, label, config, register, alias, variant, all, experiment, seed, verify };
        command.Options.Add(CommonOptions.Directory);
        command.SetAction(async (arguments, stop) =>
        {
            var directory = arguments.GetValue(CommonOptions.Directory)!;
            var path = arguments.GetValue(config)!;
            var declared = TrainConfigFile.Load(path);
            declared = declared with { Service = arguments.GetValue(service) ?? declared.Service, Seed = arguments.GetValue(seed) ?? declared.Seed };
            if (arguments.GetValue(alias) is not null && arguments.GetValue(register) is null)
                throw new ArgumentException("--alias names a model that is registered: give --register NAME too");
            using var set = TrainingSet.Open(arguments.GetValue(data) ?? Path.Combine(directory, "training"));
            if (arguments.GetValue(verify))
                set.Verify();
            var options = new TrackedOptions
            {
                Directory = directory,
                Experiment = arguments.GetValue(experiment),
                Label = arguments.GetValue(label),
                Register = arguments.GetValue(register),
                Alias = arguments.GetValue(alias),
                Repository = Path.GetDirectoryName(Path.GetFullPath(path))!,
            };
            await RunAsync(set, declared, options, arguments.GetValue(variant), arguments.GetValue(all), stop);
            return 0;
        });
        return command;
    }

    private static async Task RunAsync(TrainingSet set, TrainConfig config, TrackedOptions options, string? variant, bool all, CancellationToken stop)
    {
        var training = new TrackedTraining(TimeProvider.System, line => Console.Error.WriteLine($"  {line}"));
        var compared = new List<(string Name, TrackedResult Result)>();
        if (all)
        {
            foreach (var other in config.Variants.Where(v => v.Name != variant))
            {
                Console.Error.WriteLine($"variant {other.Name}");
                compared.Add((other.Name, await training.RunAsync(set, config.Of(other), options with { Register = null, Alias = null, RunName = other.Name }, stop)));
            }
        }

        if (variant is not null)
        {
            config = config.Of(config.Variants.FirstOrDefault(v => v.Name == variant)
                ?? throw new ArgumentException($"--variant {variant}: the configuration has {(config.Variants.Count == 0 ? "no variants" : string.Join(", ", config.Variants.Select(v => v.Name)))}"));
        }

        var result = await training.RunAsync(set, config, options with { RunName = variant }, stop);
        compared.Add((variant ?? "all features", result));
        Print(result, compared, options);
    }

    private static void Print(TrackedResult result, List<(string Name, TrackedResult Result)> compared, TrackedOptions options)
    {
        var (run, metrics) = (result.Run, result.Run.Metrics);
        Console.WriteLine($"{run.Description}: {run.Model.Inputs.Count} inputs, {run.Model.Slots.Count} slots");
        foreach (var split in metrics.Splits)
            Console.WriteLine($"  {split.Name,-12} {split.Rows,10:N0} rows  {split.From} to {split.To}");
        foreach (var (reason, rows) in run.LeftOut)
            Console.WriteLine($"  {"left out",-12} {rows,10:N0} rows  {reason}");
        foreach (var warning in run.Warnings)
            Console.WriteLine($"  warning: {warning}");
        Console.WriteLine();
        string[] names = [metrics.Main, .. metrics.Splits[^1].Metrics.Keys.Where(k => k != metrics.Main)];
        Console.WriteLine($"{"test",-28}{string.Concat(names.Select(n => $"{n,13}"))}");
        foreach (var baseline in metrics.Baselines)
            Row(baseline.Name, baseline.Metrics, names);
        foreach (var (name, other) in compared)
            Row(name, other.Run.Metrics.Splits[^1].Metrics, names);
        if (run.MlNetDifference is { } difference)
            Console.WriteLine($"\nscores equal ML.NET's to {difference.ToString("G2", CultureInfo.InvariantCulture)}");
        Console.WriteLine($"run {result.RunId}: {result.RunDirectory}; {string.Join(", ", run.Timings.Select(t => $"{t.Key} {t.Value.TotalSeconds:F1} s"))}");
        if (result.Model is { } model)
            Console.WriteLine($"registered {model}{(options.Alias is null ? "" : $" as {options.Alias}")}");
    }

    private static void Row(string name, IReadOnlyDictionary<string, MetricEstimate> metrics, string[] names) =>
        Console.WriteLine($"{name,-28}{string.Concat(names.Select(n => $"{(metrics.TryGetValue(n, out var m) ? m.Value.ToString("F4", CultureInfo.InvariantCulture) : ""),13}"))}");
}
