using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>What docs/archive.md promises to readers with another Arrow implementation: here npm's apache-arrow. infra/checks/arrow/check.sh installs it and runs this.</summary>
public sealed class OtherArrowTests : IDisposable
{
    private readonly BackfillLab lab = new(partitions: 1);

    public void Dispose() => lab.Dispose();

    [Fact]
    public void ArchiveFile_ReadByAnotherArrow_HasTheRecords()
    {
        var modules = Modules();
        var records = lab.Produce("landings", LogGen.Events(new Random(41), 60));
        var rows = lab.Layout.Files(new("landings", 0)).SelectMany(f => Read(modules, f.Path)).ToList();
        rows.Count.ShouldBe(records.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var (row, record) = (rows[i], records[i]);
            row["offset"].ShouldBe(record.Offset.ToString(CultureInfo.InvariantCulture));
            row["arrival_time"].ShouldBe(record.Event.ArrivalUs.ToString(CultureInfo.InvariantCulture));
            row["key"].ShouldBe(Convert.ToHexStringLower(EntityKey.FromTexts([record.Event.Origin])));
            row["value"].ShouldBe(record.IsBroken ? "010203" : Convert.ToHexStringLower(BackfillLab.Encode(record.Event)));
            row["source_partition"].ShouldBeNull();
        }
    }

    [Fact]
    public void TrainingSet_ReadByAnotherArrow_HasTheSameValues()
    {
        var modules = Modules();
        lab.Produce("landings", LogGen.Events(new Random(42), 200));
        lab.Produce("schedules", LogGen.Events(new Random(43), 40));
        BackfillRunner.Run(lab.Catalog, new BackfillOptions { Service = "delays", Archive = lab.Archive, Output = lab.At("out"), RowsPerFile = 16 });
        var ours = BackfillLab.Rows(lab.At("out"));
        var theirs = Directory.GetFiles(lab.At("out"), "part-*.arrow").Order(StringComparer.Ordinal).SelectMany(f => Read(modules, f)).ToList();
        theirs.Count.ShouldBe(ours.Count);
        for (var i = 0; i < ours.Count; i++)
        {
            theirs[i].Keys.ShouldBe(ours[i].Keys);
            foreach (var (column, value) in ours[i])
                Same(theirs[i][column], value).ShouldBeTrue($"row {i}, {column}: {theirs[i][column]} is not {value}");
        }
    }

    private static bool Same(string? theirs, object? ours) => ours is double number
        ? theirs is not null && double.Parse(theirs, CultureInfo.InvariantCulture).Equals(number)
        : theirs == (ours is bool flag ? flag ? "true" : "false" : ours?.ToString());

    private static string Modules()
    {
        var modules = Environment.GetEnvironmentVariable("STREAMML_ARROW_JS");
        Assert.SkipUnless(modules is not null && Directory.Exists(Path.Combine(modules, "node_modules", "apache-arrow")), "npm's apache-arrow is not there: run infra/checks/arrow/check.sh, which installs it outside the repository (STREAMML_ARROW_JS names its directory)");
        return modules!;
    }

    private static List<Dictionary<string, string?>> Read(string modules, string file)
    {
        using var process = Process.Start(new ProcessStartInfo("node", [Script(), modules, file]) { RedirectStandardOutput = true, UseShellExecute = false }).ShouldNotBeNull();
        var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
        return [.. lines.Select(line => JsonDocument.Parse(line).RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind == JsonValueKind.Null ? null : p.Value.ToString().Replace("True", "true", StringComparison.Ordinal).Replace("False", "false", StringComparison.Ordinal), StringComparer.Ordinal))];
    }

    private static string Script([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "infra", "checks", "arrow", "rows.mjs"));
}
