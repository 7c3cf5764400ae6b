using System.Globalization;
using StreamMl.BatchBackfill.Parity;
using StreamMl.Infrastructure.Catalogs;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Definitions.Building;
using StreamMl.Shared.Definitions;

namespace StreamMl.BatchBackfill;

/// <summary>The program's commands. Exit code 0: done, or all the same; 1: values differ; 2: the request or its input is wrong.</summary>
internal static class Commands
{
    private const string Usage =
        """
        backfill SERVICE --catalog FILE --from ARCHIVE --out DIR [--spine FILE [--time COLUMN] [--sorted] [--allow-before-archive]]
                 [--label "name: expression from source on field"] [--event-time] [--delay 5m] [--history source=FILE]... [--served DIR]
                 [--memory 1GB] [--cores N] [--rows-per-file N] [--overwrite]
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
        var options = new BackfillOptions
        {
            Service = arguments.Word(1) ?? throw new BackfillException(Usage),
            Spine = arguments.Text("--spine"),
            TimeColumn = arguments.Text("--time"),
            Archive = arguments.Required("--from"),
            Output = arguments.Required("--out"),
            EventTime = arguments.Flag("--event-time"),
            Delay = Duration(arguments, "--delay"),
            History = [.. arguments.All("--history").Select(History)],
            Served = arguments.Text("--served"),
            Label = arguments.Text("--label"),
            AssertSorted = arguments.Flag("--sorted"),
            AllowBeforeArchive = arguments.Flag("--allow-before-archive"),
            MemoryBytes = arguments.Text("--memory") is { } memory ? Bytes(memory) : 1L << 30,
            Cores = Number(arguments, "--cores", Environment.ProcessorCount),
            RowsPerFile = Number(arguments, "--rows-per-file", 262_144),
            Overwrite = arguments.Flag("--overwrite"),
        };
        arguments.End();
        var stage = "";
        var manifest = BackfillRunner.Run(catalog, options, p =>
        {
            if (Interlocked.Exchange(ref stage, p.Stage) != p.Stage)
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

    private static HistoryFile History(string text) => text.IndexOf('=') is > 0 and var at
        ? new HistoryFile(text[..at], text[(at + 1)..])
        : throw new BackfillException($"--history '{text}': write it as source=FILE");

    private static TimeSpan Duration(CommandArguments arguments, string name) =>
        arguments.Text(name) is not { } text ? TimeSpan.Zero
        : Durations.TryParse(text, out var duration) ? duration
        : throw new BackfillException($"{name} '{text}' is no duration: write a whole number and ms, s, m, h or d, as 5m");

    private static int Number(CommandArguments arguments, string name, int otherwise) =>
        arguments.Text(name) is not { } text ? otherwise
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number
        : throw new BackfillException($"{name} '{text}' is no whole number");

    /// <summary>1GB, 512MB or a number of bytes.</summary>
    internal static long Bytes(string text)
    {
        foreach (var (unit, factor) in new[] { ("GB", 1L << 30), ("MB", 1L << 20), ("", 1L) })
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase) && long.TryParse(text[..^unit.Length], CultureInfo.InvariantCulture, out var count))
                return count * factor;
        }

        throw new BackfillException($"--memory '{text}' is no size: write 1GB, 512MB or a number of bytes");
    }
}
