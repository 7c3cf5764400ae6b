using System.Diagnostics;
using System.Globalization;
using DuckDB.NET.Data;
using StreamMl.BatchBackfill;

namespace StreamMl.Benchmarks.Backfill;

/// <summary>What one side took: CPU seconds of the process with its start, peak of its resident memory, wall seconds of the work.</summary>
internal sealed record BackfillFigures(double CpuSeconds, double PeakMb, double WallSeconds);

/// <summary>The contestants, each run in a process of its own, whose last line says what it took.</summary>
internal static class BackfillRuns
{
    public static BackfillFigures Ours(string directory, string format, int memoryMb) => Child("ours", directory, format, memoryMb.ToString(CultureInfo.InvariantCulture));

    public static BackfillFigures DuckDb(string directory, string form) => Child("duckdb", directory, form);

    /// <summary>In the child: does the work, then prints the figures.</summary>
    public static int Work(string[] args)
    {
        var clock = Stopwatch.StartNew();
        if (args[0] == "ours")
            RunOurs(args[1], args[2], int.Parse(args[3], CultureInfo.InvariantCulture));
        else
            RunDuckDb(args[1], args[2]);
        var peakKb = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        var cpu = Environment.CpuUsage.TotalTime.TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cpu} {double.Parse(peakKb, CultureInfo.InvariantCulture) / 1024} {clock.Elapsed.TotalSeconds}"));
        return 0;
    }

    private static void RunOurs(string directory, string format, int memoryMb)
    {
        var output = Path.Combine(directory, "training");
        if (Directory.Exists(output))
            Directory.Delete(output, recursive: true);
        BackfillRunner.Run(BackfillData.Catalog(), new BackfillOptions
        {
            Service = BackfillData.Service,
            Archive = Path.Combine(directory, "archive"),
            Output = output,
            MemoryBytes = (long)memoryMb << 20,
            Spine = Path.Combine(directory, $"spine.{format}"),
            History = [new HistoryFile("events", Path.Combine(directory, $"events.{format}"))],
        }, Trace());
    }

    /// <summary>With BENCH_TRACE set: CPU at the start of each stage, on standard error.</summary>
    private static Action<BackfillProgress>? Trace()
    {
        if (Environment.GetEnvironmentVariable("BENCH_TRACE") is null)
            return null;
        var stage = "";
        return p =>
        {
            if (Interlocked.Exchange(ref stage, p.Stage) != p.Stage)
                Console.Error.WriteLine($"  {p.Stage}: at {Environment.CpuUsage.TotalTime.TotalSeconds:F2} CPU s");
        };
    }

    private static void RunDuckDb(string directory, string form)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        foreach (var name in new[] { "events", form })
        {
            using var command = connection.CreateCommand();
            command.CommandText = File.ReadAllText(Path.Combine(SqlDirectory, name + ".sql"))
                .Replace("{events}", Path.Combine(directory, "events.parquet"), StringComparison.Ordinal)
                .Replace("{spine}", Path.Combine(directory, "spine.parquet"), StringComparison.Ordinal)
                .Replace("{out}", Path.Combine(directory, "duckdb.parquet"), StringComparison.Ordinal);
            command.ExecuteNonQuery();
        }
    }

    private static string SqlDirectory => Path.Combine(AppContext.BaseDirectory, "Backfill", "duckdb");

    private static BackfillFigures Child(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(BackfillRuns).Assembly.Location);
        foreach (var argument in (string[])["backfill", "--child", .. arguments])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start");
        var lines = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with exit code {process.ExitCode}");
        var figures = lines.Trim().Split('\n')[^1].Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new BackfillFigures(figures[0], figures[1], figures[2]);
    }
}
