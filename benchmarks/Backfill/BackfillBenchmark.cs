using System.Globalization;

namespace StreamMl.Benchmarks.Backfill;

/// <summary>
/// Backfill, file to file: events and spine rows with windows of 1 h, 24 h, 7 d x count, sum, mean, max, ours beside DuckDB, zipf and uniform
/// keys; CPU seconds and peak memory of processes of their own, the median of the rounds; DuckDB's figure is its best formulation's.
/// Arguments: [EVENTS [ROWS [ROUNDS]]] [--keys zipf|uniform] [--forms range,asof_range,asof_tiles] [--ours] [--format arrow|parquet] [--memory MB] [--dir DIR].
/// Defaults: 10000000 1000000 3, both, all, arrow, 1024. Polars: Backfill/polars.sh on the directory that --dir keeps.
/// </summary>
internal static class BackfillBenchmark
{
    private const double LeastZipf = 50;
    private const double LeastUniform = 20;
    private const double MostMemoryShare = 0.25;

    public static int Run(string[] args)
    {
        if (args is ["--child", ..])
            return BackfillRuns.Work(args[1..]);
        var numbers = args.TakeWhile(a => !a.StartsWith("--", StringComparison.Ordinal)).Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToArray();
        var (events, rows, rounds) = (numbers.ElementAtOrDefault(0, 10_000_000), numbers.ElementAtOrDefault(1, 1_000_000), numbers.ElementAtOrDefault(2, 3));
        var keys = Option(args, "--keys") is { } one ? [one] : new[] { "zipf", "uniform" };
        var forms = args.Contains("--ours") ? [] : (Option(args, "--forms") ?? "range,asof_range,asof_tiles").Split(',');
        var format = Option(args, "--format") ?? "arrow";
        var memory = int.Parse(Option(args, "--memory") ?? "1024", CultureInfo.InvariantCulture);
        var kept = Option(args, "--dir");
        var root = kept ?? Directory.CreateTempSubdirectory("streamml-bench-").FullName;
        try
        {
            Console.WriteLine($"backfill, file to file: {events:N0} events, {rows:N0} rows, 3 windows x count, sum, mean, max; median of {rounds} rounds; {format} in, arrow out; --memory {memory} MB");
            var met = true;
            foreach (var key in keys)
                met &= RunKeys(Path.Combine(root, key), key, events, rows, rounds, forms, format, memory);
            return met ? 0 : 1;
        }
        finally
        {
            if (kept is null)
                Directory.Delete(root, recursive: true);
        }
    }

    private static bool RunKeys(string directory, string key, int events, int rows, int rounds, string[] forms, string format, int memoryMb)
    {
        if (!File.Exists(Path.Combine(directory, "spine.parquet")))
        {
            Directory.CreateDirectory(directory);
            BackfillData.Write(directory, events, rows, key == "zipf");
        }

        var ours = Median(rounds, () => BackfillRuns.Ours(directory, format, memoryMb));
        Print(key, "ours", ours);
        var best = (BackfillFigures?)null;
        foreach (var form in forms)
        {
            var figures = Median(forms.Length > 1 ? 1 : rounds, () => BackfillRuns.DuckDb(directory, form));
            Print(key, $"duckdb {form}", figures);
            var differences = BackfillCheck.Differences(directory, "duckdb.parquet", rows);
            Console.WriteLine($"  {key,-8} {rows * 12L:N0} values compared, {differences} differ");
            if (differences > 0)
                return false;
            best = best is null || figures.CpuSeconds < best.CpuSeconds ? figures : best;
        }

        if (best is null)
            return true;
        var ratio = best.CpuSeconds / ours.CpuSeconds;
        var memory = ours.PeakMb / best.PeakMb;
        var least = key == "zipf" ? LeastZipf : LeastUniform;
        Console.WriteLine($"  {key,-8} ratio: DuckDB's best takes {ratio:F1} times our CPU (at least {least} is wanted), we take {memory:F2} of its memory (at most {MostMemoryShare})");
        return ratio >= least && memory <= MostMemoryShare;
    }

    private static BackfillFigures Median(int rounds, Func<BackfillFigures> run)
    {
        var all = Enumerable.Range(0, rounds).Select(_ => run()).ToList();
        double Middle(Func<BackfillFigures, double> figure) => all.Select(figure).Order().ElementAt(rounds / 2);
        return new BackfillFigures(Middle(f => f.CpuSeconds), Middle(f => f.PeakMb), Middle(f => f.WallSeconds));
    }

    private static void Print(string key, string side, BackfillFigures f) =>
        Console.WriteLine($"  {key,-8} {side,-18} {f.CpuSeconds,8:F2} CPU s {f.PeakMb,8:F0} MB {f.WallSeconds,8:F2} s");

    private static int ElementAtOrDefault(this int[] values, int index, int otherwise) => index < values.Length ? values[index] : otherwise;

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
