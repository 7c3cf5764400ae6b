using System.CommandLine;
using StreamMl.Infrastructure.Models;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Models;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml predict-batch --model late --data training/ --out scored/</c>: scores Arrow files as the online scorer would.</summary>
internal static class PredictBatchCommand
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "A model as name, name@alias or name@version", Required = true };
        var data = new Option<string?>("--data") { Description = "A training set, a directory of .arrow files or one such file; default: training/ under --dir" };
        var output = new Option<string?>("--out") { Description = "Where the scored files go; default: scored/ under --dir" };
        var command = new Command("predict-batch", "Score Arrow files with a registered model: the same code and the same bits as online") { model, data, output };
        command.Options.Add(CommonOptions.Directory);
        command.SetAction((arguments, stop) =>
        {
            var directory = arguments.GetValue(CommonOptions.Directory)!;
            var store = ModelStore.In(directory, TimeProvider.System);
            var folder = store.Open(store.Resolve(ModelReference.Parse(arguments.GetValue(model)!)));
            var into = arguments.GetValue(output) ?? Path.Combine(directory, "scored");
            var result = BatchScorer.Run(folder, new EngineModels(), arguments.GetValue(data) ?? Path.Combine(directory, "training"), into, stop);
            Console.WriteLine($"{result.Rows:N0} rows scored by {result.Model}: {result.Files.Count} files in {into}");
            return Task.FromResult(0);
        });
        return command;
    }
}
