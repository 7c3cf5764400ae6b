using System.Diagnostics;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>The program is killed (SIGKILL) at random points of its progress, again and again; the same command goes on to the same bytes.</summary>
public sealed class KillTests : IDisposable
{
    private const int Kills = 5;

    private const string Catalog =
        """
        catalog: kill
        sources:
          landings: { schema: e.avsc, eventTime: event_time, key: origin, partitions: 2, maxFutureSkew: 1h }
          schedules: { schema: e.avsc, eventTime: event_time, key: origin, partitions: 2, maxFutureSkew: 1h }
        entities: { origin: origin, dest: dest }
        views:
          by_origin: { source: landings, entity: origin, features: [count, mean(delay), max(delay), last(note)], windows: [1h, 24h] }
          by_dest: { source: landings, entity: dest, features: [count, sum(delay)], windows: [6h] }
        services:
          killed: { trigger: schedules, features: [by_origin.*, by_dest.*] }
        """;

    private readonly BackfillLab lab = new(partitions: 2);

    public KillTests()
    {
        File.WriteAllText(lab.At("e.avsc"), BackfillLab.Avro);
        File.WriteAllText(lab.At("catalog.yaml"), Catalog);
        lab.Produce("landings", LogGen.Events(new Random(31), 3000));
        lab.Produce("schedules", LogGen.Events(new Random(32), 600));
    }

    public void Dispose() => lab.Dispose();

    [Fact]
    public async Task Backfill_KilledAtRandomPoints_EndsWithTheSameBytes()
    {
        var (lines, code) = await Run("undisturbed", int.MaxValue);
        code.ShouldBe(0);
        lines.ShouldBeGreaterThan(10, "a line per step is what the kills are aimed by");
        var random = new Random(33);
        var killed = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            // The first just behind the start; the others where chance will have it, some behind the end.
            var (_, exit) = await Run("disturbed", kill == 0 ? 1 : random.Next(1, lines));
            killed += exit == 0 ? 0 : 1;
        }

        killed.ShouldBeGreaterThan(0);
        (await Run("disturbed", int.MaxValue)).ExitCode.ShouldBe(0);
        var expected = Files("undisturbed");
        expected.Count.ShouldBeGreaterThan(5);
        Files("disturbed").ShouldBe(expected);
    }

    /// <summary>Name and content (as hex) of each file of a training set, working files too: none may be left.</summary>
    private List<(string Name, string Content)> Files(string output) =>
        [.. Directory.EnumerateFiles(lab.At(output), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => (Path.GetFileName(f), Convert.ToHexString(File.ReadAllBytes(f))))];

    /// <summary>Runs the program in a process of its own, and kills it when it has said so many lines.</summary>
    private async Task<(int Lines, int ExitCode)> Run(string output, int killAtLine)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in (string[])["exec", Path.Combine(AppContext.BaseDirectory, "StreamMl.BatchBackfill.dll"), "backfill", "killed", "--progress", "--catalog", lab.At("catalog.yaml"), "--from", lab.Archive, "--out", lab.At(output), "--rows-per-file", "50", "--cores", "2"])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start).ShouldNotBeNull();
        var lines = 0;
        var last = "";
        while (await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            last = line;
            if (++lines == killAtLine)
                process.Kill();
        }

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        if (killAtLine == int.MaxValue)
            process.ExitCode.ShouldBe(0, last);
        return (lines, process.ExitCode);
    }
}
