using StreamMl.BatchBackfill.Ledger;
using StreamMl.BatchBackfill.Logs;
using StreamMl.BatchBackfill.Parity;
using StreamMl.BatchBackfill.Spines;
using StreamMl.FeatureEngine.Services;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>Trigger events with labels that another source knows, parity with what was served, the ledger counted again.</summary>
public sealed class TriggerAndParityTests : IDisposable
{
    private readonly BackfillLab lab = new(partitions: 2);
    private readonly List<LabEvent> events = LogGen.Events(new Random(21), 300);
    private readonly IReadOnlyList<LabRecord> landings;
    private readonly IReadOnlyList<LabRecord> schedules;
    private readonly Dictionary<string, IReadOnlyList<LabRecord>> logs = new(StringComparer.Ordinal);

    public TriggerAndParityTests()
    {
        var random = new Random(22);
        landings = lab.Produce("landings", events);
        schedules = lab.Produce("schedules", [.. LogGen.Events(random, 80).Select((e, i) => e with { Id = i % 4 == 0 ? $"cancelled{i}" : e.Id })]);
        logs["schedules"] = schedules;
        logs["landings"] = landings;
        logs["landings.by.dest"] = lab.Repartition("landings.by.dest", landings, e => e.Dest, random);
        logs["landings.by.all"] = lab.Repartition("landings.by.all", landings, _ => "", random);
    }

    public void Dispose() => lab.Dispose();

    [Fact]
    public void Run_TriggerWithLabel_LeavesOutRowsWithoutOneAndCountsThem()
    {
        var manifest = BackfillRunner.Run(lab.Catalog, Options("out") with { Label = "late: delay > 5 from landings on id" });
        var rows = BackfillLab.Rows(lab.At("out"));
        var accepted = schedules.GroupBy(r => r.Log.Partition).SelectMany(g => Naive.Accepted(g)).ToList();
        var labels = landings.GroupBy(r => r.Log.Partition).SelectMany(g => Naive.Accepted(g)).ToDictionary(r => r.Event.Id, r => r.Event.Delay, StringComparer.Ordinal);

        var kept = accepted.Where(r => labels.GetValueOrDefault(r.Event.Id) is not null).ToList();
        rows.Count.ShouldBe(kept.Count);
        manifest.LeftOut.Values.Sum().ShouldBe(accepted.Count - kept.Count);
        manifest.LeftOut.Keys.ShouldContain(r => r.Contains("no event of 'landings' has this id"));
        foreach (var row in rows)
            row["late"].ShouldBe(labels[(string)row["id"]!] > 5);
        // A label is known from the arrival clock of its event on: by then exactly the prefix that holds it has arrived.
        var last = landings.GroupBy(r => r.Log.Partition).SelectMany(g => Naive.Accepted(g)).GroupBy(r => r.Event.Id, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last(), StringComparer.Ordinal);
        foreach (var row in rows)
        {
            var label = last[(string)row["id"]!];
            var partition = landings.Where(r => r.Log.Partition == label.Log.Partition).ToList();
            Naive.ArrivedBy(partition, (long)row["late_known_at"]!).ShouldContain(label);
            Naive.ArrivedBy(partition, (long)row["late_known_at"]! - 1).ShouldNotContain(label);
        }

        manifest.Columns.Single(c => c.Role == ColumnRoles.LabelTime).Name.ShouldBe("late_known_at");
        rows.Select(r => ((long)r[TriggerColumns.ArrivalName]!, (long)r[TriggerColumns.PartitionName]!, (long)r[TriggerColumns.OffsetName]!)).ShouldBeInOrder();
    }

    [Fact]
    public void Run_TriggerInARangeOfTime_HasTheSameRowsOfThatRange()
    {
        BackfillRunner.Run(lab.Catalog, Options("out"));
        var all = BackfillLab.Rows(lab.At("out"));
        var times = all.Select(r => (long)r["event_time"]!).Order().ToList();
        var (from, until) = (times[times.Count / 4], times[times.Count / 2]);
        var manifest = BackfillRunner.Run(lab.Catalog, Options("part") with { FromTimeUs = from, UntilTimeUs = until });
        var part = BackfillLab.Rows(lab.At("part"));
        part.Count.ShouldBeInRange(1, all.Count - 1);
        part.Select(Text).ShouldBe(all.Where(r => (long)r["event_time"]! >= from && (long)r["event_time"]! < until).Select(Text));
        manifest.Spine.ShouldContain("until");
        Should.Throw<BackfillException>(() => BackfillRunner.Run(lab.Catalog, Options("none") with { FromTimeUs = until, UntilTimeUs = from })).Message.ShouldContain("is not before");

        Should.Throw<BackfillException>(() => BackfillRunner.Run(lab.Catalog, Options("none") with { FromTimeUs = times[^1] + 1 })).Message.ShouldContain("has no accepted event");

        static string Text(Dictionary<string, object?> row) => string.Join('|', row.Values);
    }

    [Fact]
    public void ToOptions_TimesAndSizes_AreUnderstoodOrRefusedWithTheirForm()
    {
        Dictionary<string, string[]> given = new(StringComparer.Ordinal) { ["--from-time"] = ["2013-05-01"], ["--until-time"] = ["2013-06-01T00:00:00+02:00"], ["--memory"] = ["512MB"], ["--history"] = ["a=x.csv", "b=y.csv"] };
        BackfillOptions Make() => BackfillArguments.ToOptions("s", name => given.GetValueOrDefault(name, []), "archive", "out");
        var options = Make();
        options.FromTimeUs.ShouldBe(1_367_366_400_000_000);
        options.UntilTimeUs.ShouldBe(1_370_037_600_000_000);
        options.MemoryBytes.ShouldBe(512L << 20);
        options.History.Select(h => h.Source).ShouldBe(["a", "b"]);
        given["--until-time"] = ["May"];
        Should.Throw<BackfillException>(Make).Message.ShouldContain("--until-time 'May' is no time");
    }

    [Fact]
    public void Run_LabelsBeyondTheMemory_AreRefusedWithTheRemedy()
    {
        var rule = LabelRule.Parse("late: delay > 5 from landings on id");
        var source = lab.Catalog.Source("landings");
        var log = new LogInputs(lab.Layout, [], TimeSpan.Zero, 0).Of(source, source.Topic, source.KeyFields);
        Should.Throw<BackfillException>(() => LabelTable.Read(rule, source, log, 1000)).Message.ShouldContain("raise --memory");
    }

    [Fact]
    public void Run_Trigger_SeesWhatHadArrivedWhenTheEventCame()
    {
        BackfillRunner.Run(lab.Catalog, Options("out"));
        foreach (var row in BackfillLab.Rows(lab.At("out")))
        {
            var origin = (string)row["origin"]!;
            var prefix = Naive.ArrivedBy(landings.Where(r => r.Log.Partition == PartitionOf(origin)), (long)row[TriggerColumns.ArrivalName]!);
            foreach (var (name, value) in Naive.Read("by_origin", prefix, e => e.Origin == origin, (long)row["event_time"]!))
                row[name].ShouldBe(value, name);
        }
    }

    [Fact]
    public void Parity_HonestService_HasNoDifference()
    {
        Serve();
        var report = ParityRunner.Run(lab.Catalog, Parity());
        report.ToString().ShouldStartWith("0 of ");
        (report.Vectors, report.ValuesDiffering, report.ExitCode).ShouldBe((60L, 0L, 0));
        report.ValuesCompared.ShouldBe(60 * 26);
    }

    [Fact]
    public void Parity_OneByteOfOneArchivedEventChanged_Fails()
    {
        Serve();
        var file = lab.Layout.Files(landings[0].Log)[0].Path;
        var bytes = File.ReadAllBytes(file);
        // The last byte of the first delay that a mean has to notice: 8 bytes of a double, the highest of which holds its sign.
        var victim = landings.First(r => r.Log == landings[0].Log && !r.IsBroken && r.Event.Delay > 0);
        var at = bytes.AsSpan().IndexOf(BitConverter.GetBytes(victim.Event.Delay!.Value)) + 7;
        bytes[at] ^= 0x80;
        File.WriteAllBytes(file, bytes);

        var report = ParityRunner.Run(lab.Catalog, Parity());
        report.ExitCode.ShouldBe(1);
        report.ValuesDiffering.ShouldBeGreaterThan(0);
        report.Differences[0].ToString().ShouldContain("recomputed");
    }

    [Fact]
    public void Run_ServedPrefixes_AreUsedForTriggerRows()
    {
        Serve(shortenPrefixBy: 3);
        var manifest = BackfillRunner.Run(lab.Catalog, Options("out") with { Served = lab.Directory });
        manifest.UsesServedPrefixes.ShouldBeTrue();
        var rows = BackfillLab.Rows(lab.At("out")).ToDictionary(r => ((long)r[TriggerColumns.PartitionName]!, (long)r[TriggerColumns.OffsetName]!));
        foreach (var served in BackfillLab.Rows(Directory.GetFiles(Path.Combine(lab.Directory, "served", "delays"))[0]))
        {
            var row = rows[((long)served["trigger_partition"]!, (long)served["trigger_offset"]!)];
            foreach (var name in served.Keys.Where(k => k.StartsWith("by_", StringComparison.Ordinal) && k.Contains('.')))
                row[name].ShouldBe(served[name], name);
        }
    }

    [Fact]
    public void Ledger_Recounted_BalancesToTheEvent()
    {
        var ledgers = LedgerRunner.Recount(lab.Catalog, lab.Archive);
        ledgers.Count.ShouldBe(8); // with the schedules, which no view reads
        foreach (var (partition, counts) in ledgers)
        {
            counts.Balances.ShouldBeTrue($"{partition}: {counts}");
            var records = logs[partition.Topic].Where(r => r.Log == partition).ToList();
            counts.Read.ShouldBe(records.Count);
            counts.DeadLettered.ShouldBe(records.Count(r => r.IsBroken || Naive.IsDeadLetter(r.Event)));
            (counts.Applied + counts.Late + counts.Filtered).ShouldBe(Naive.Accepted(records).Count());
        }
    }

    private BackfillOptions Options(string output) => new() { Service = "delays", Archive = lab.Archive, Output = lab.At(output), Cores = 2 };

    private ParityOptions Parity() => new() { Service = "delays", Archive = lab.Archive, Served = lab.Directory, Cores = 2 };

    private int PartitionOf(string key) => KeyPartitioner.PartitionOf(EntityKey.FromTexts(key.Length == 0 ? [] : [key]), lab.Partitions);

    /// <summary>A service that answers from the oracle: what it serves is right by definition. The view 'notes' is answered by the engine.</summary>
    private void Serve(int shortenPrefixBy = 0)
    {
        var service = ServiceProgram.Compile(lab.Catalog, lab.Catalog.Service("delays"));
        using var writer = new ServedVectorWriter(lab.Directory, ServedPrefixes.SchemaOf(service));
        var triggers = schedules.GroupBy(r => r.Log.Partition).SelectMany(g => Naive.Accepted(g)).Take(60);
        foreach (var trigger in triggers)
        {
            var row = new FeatureRow(service.Columns.Count);
            var positions = new List<ServedPosition>();
            foreach (var view in service.Views)
            {
                string? key = view.Name switch { "by_dest" => trigger.Event.Dest, "by_all" => "", _ => trigger.Event.Origin };
                if (key is null)
                {
                    positions.Add(ServedPosition.NotRead);
                    continue;
                }

                var partition = logs[view.Program.Log].Where(r => r.Log.Partition == PartitionOf(key)).ToList();
                var prefix = Naive.ArrivedBy(partition, trigger.Event.ArrivalUs).SkipLast(shortenPrefixBy).ToList();
                positions.Add(new ServedPosition(PartitionOf(key), prefix.Count == 0 ? 0 : prefix[^1].Offset + 1, 0));
                if (view.Name == "notes")
                    ReadNotes(service, view, prefix, key, trigger.Event.EventUs, row);
                else
                    Fill(service, row, Naive.Read(view.Name, prefix, e => view.Name == "by_all" || (view.Name == "by_dest" ? e.Dest == key && e.Delay > 0 : e.Origin == key), trigger.Event.EventUs));
            }

            writer.Append(trigger.Event.EventUs, (trigger.Log.Partition, trigger.Offset), [trigger.Event.Origin, trigger.Event.Dest], [.. positions], row);
        }
    }

    private static void Fill(ServiceProgram service, FeatureRow row, Dictionary<string, object?> values)
    {
        for (var c = 0; c < service.Columns.Count; c++)
        {
            if (!values.TryGetValue(service.Columns[c].FullName, out var value) || value is null)
                continue;
            if (value is long count)
                row.Set(c, count);
            else
                row.Set(c, (double)value);
        }
    }

    private static void ReadNotes(ServiceProgram service, ServiceView view, List<LabRecord> prefix, string key, long asOfUs, FeatureRow row)
    {
        var note = Naive.Accepted(prefix).Where(r => r.Event.Origin == key && r.Event.Note is not null).OrderBy(r => (r.Event.EventUs, r.Offset)).LastOrDefault()?.Event.Note;
        if (note is not null)
            row.Set(view.ServiceColumns[0], System.Text.Encoding.UTF8.GetBytes(note));
        var mine = Naive.Accepted(prefix).Where(r => r.Event.Origin == key).Select(r => r.Event).ToList();
        if (mine.Count == 0)
            return;
        var newest = mine.Max(e => e.EventUs);
        var time = Math.Max(asOfUs, newest - (10 * BackfillLab.Hour / 60));
        var minute = BackfillLab.Hour / 60;
        var seen = long.MinValue;
        var late = new List<double>();
        foreach (var e in mine)
        {
            seen = Math.Max(seen, e.EventUs);
            var tile = Shared.Time.TimeGrid.Floor(e.EventUs, minute);
            var isKept = tile >= Shared.Time.TimeGrid.Floor(seen - (10 * minute) - BackfillLab.Hour, minute);
            if (isKept && e.Delay is { } delay && tile >= Shared.Time.TimeGrid.Floor(time - BackfillLab.Hour, minute) && tile <= Shared.Time.TimeGrid.Floor(time, minute))
                late.Add(delay > 15 ? 1 : 0);
        }

        if (late.Count > 0)
            row.Set(view.ServiceColumns[1], late.Sum() / late.Count);
    }
}
