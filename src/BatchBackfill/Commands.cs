using System.Globalization;
using StreamMl.BatchBackfill.Parity;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Definitions.Building;

namespace StreamMl.BatchBackfill;

/// <summary>The program's commands. Exit code 0: done, or all the same; 1: values differ; 2: the request or its input is wrong.</summary>
internal static class Commands
{
    private static readonly string Usage =
        $"""
        backfill SERVICE --catalog FILE [--progress]
                 {string.Join(' ', BackfillArguments.All.Select(a => a.IsFlag ? $"[{a.Name}]" : $"[{a.Name} {a.Value}]{(a.IsRepeated ? "..." : "")}"))}
        parity   SERVICE --catalog FILE --from ARCHIVE --served DIR [--every N]
        """;

    public static int Run(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            var arguments = new CommandArguments(args);
            return arguments.Word(0) switch
            {
                "backfill" => Backfill(arguments, output, error, cancellationToken),
                "parity" => Parity(arguments, output, cancellationToken),
                _ => throw new BackfillException(Usage),
            };
        }
        catch (Exception e) when (e is BackfillException or InvalidDataException or IOException or ArgumentException)
        {
            error.WriteLine(e.Message);
            return 2;
        }
    }

    private static int Backfill(CommandArguments arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var catalog = Load(arguments.Required("--catalog"));
        var service = arguments.Word(1) ?? throw new BackfillException(Usage);
        var isFlag = BackfillArguments.All.ToDictionary(a => a.Name, a => a.IsFlag, StringComparer.Ordinal);
        var options = BackfillArguments.ToOptions(service, name => !isFlag[name] ? arguments.All(name) : arguments.Flag(name) ? [name] : []);
        var isVerbose = arguments.Flag("--progress");
        arguments.End();
        var stage = "";
        var manifest = BackfillRunner.Run(catalog, options, p =>
        {
            if (isVerbose)
                error.WriteLine($"{p.Stage} {p.Done}/{p.Total}");
            else if (Interlocked.Exchange(ref stage, p.Stage) != p.Stage)
                error.WriteLine(p.Stage);
        }, cancellationToken);
        output.WriteLine($"{manifest.Rows} rows, {manifest.Columns.Count(c => c.Role == ColumnRoles.Feature)} features in {options.Output}");
        foreach (var (reason, rows) in manifest.LeftOut)
            output.WriteLine($"left out {rows}: {reason}");
        return 0;
    }

    private static int Parity(CommandArguments arguments, TextWriter output, CancellationToken cancellationToken)
    {
        var catalog = Load(arguments.Required("--catalog"));
        var options = new ParityOptions
        {
            Service = arguments.Word(1) ?? throw new BackfillException(Usage),
            Archive = arguments.Required("--from"),
            Served = arguments.Required("--served"),
            Every = Number(arguments, "--every", 1),
        };
        arguments.End();
        var report = ParityRunner.Run(catalog, options, cancellationToken: cancellationToken);
        output.WriteLine(report);
        foreach (var difference in report.Differences)
            output.WriteLine(difference);
        return report.ExitCode;
    }

    private static Catalog Load(string path)
    {
        try
        {
            return CatalogFile.Load(path).Require();
        }
        catch (CatalogException e)
        {
            throw new BackfillException(e.Message);
        }
    }

    private static int Number(CommandArguments arguments, string name, int otherwise) =>
        arguments.Text(name) is not { } text ? otherwise
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number
        : throw new BackfillException($"{name} '{text}' is no whole number");
}
