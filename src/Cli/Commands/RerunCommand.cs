using System.CommandLine;
using StreamMl.Training.Jobs;

namespace StreamMl.Cli.Commands;

/// <summary><c>streamml runs rerun RUN</c>: trains again from what a run recorded, and says whether the same came out.</summary>
internal static class RerunCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("run") { Description = "Its id, or the beginning or the end of it" };
        var data = new Option<string?>("--data") { Description = "Where its training set is now; default: where it was" };
        var command = new Command("rerun", "Train again from a run's configuration, seed and data; exit code 1 if another model comes out") { id, data, CommonOptions.Directory };
        command.SetAction(async (arguments, stop) =>
        {
            var rerun = new TrainingRerun(TimeProvider.System, line => Console.Error.WriteLine($"  {line}"));
            var result = await rerun.RunAsync(arguments.GetValue(CommonOptions.Directory)!, arguments.GetValue(id)!, arguments.GetValue(data), stop);
            Print(result);
            return result.IsSame ? 0 : CommandRunner.Failed;
        });
        return command;
    }

    private static void Print(RerunResult result)
    {
        var (record, again) = (result.Original.Record, result.Again);
        Console.WriteLine($"data manifest {record.DataManifestHash}: the same, files verified");
        Console.WriteLine($"definition    {record.ServiceHash}: the same");
        foreach (var warning in result.Warnings)
            Console.WriteLine($"warning: {warning}");
        Console.WriteLine($"run {record.Id} gave {record.Model ?? "no model"}");
        Console.WriteLine($"run {again.RunId} gave {again.Model?.ToString() ?? "no model"}");
        Console.WriteLine(result.IsSame
            ? $"{result.Compared}: the same"
            : $"{result.Compared}: another one. Program, packages and processor decide the last bits too; `streamml runs compare {record.Id} {again.RunId}` shows what differs");
    }
}
