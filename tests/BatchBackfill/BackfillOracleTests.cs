using StreamMl.Infrastructure.TrainingSets;
using StreamMl.Shared.Log;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>Whole backfills over random logs against the naive recomputation.</summary>
public sealed class BackfillOracleTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void Run_LabelSpine_GivesWhatTheNaiveRecomputationGives(int seed, bool repartitionIsArchived)
    {
        var random = new Random(seed);
        using var lab = new BackfillLab(partitions: 1 + (seed % 3), servingDelay: TimeSpan.FromMinutes(seed % 2 * 5));
        var events = LogGen.Events(random, 400);
        var landings = lab.Produce("landings", events);
        var byDest = repartitionIsArchived ? lab.Repartition("landings.by.dest", landings, e => e.Dest, random) : Merged(lab, "landings.by.dest", landings, e => e.Dest);
        var byAll = repartitionIsArchived ? lab.Repartition("landings.by.all", landings, _ => "", random) : Merged(lab, "landings.by.all", landings, _ => "");
        var spine = LogGen.Spine(random, 150, events);
        lab.WriteSpine(lab.At("spine.csv"), spine);

        var manifest = Run(lab, "out", cores: 1, buckets: 1, rowMemory: 0);
        var rows = BackfillLab.Rows(lab.At("out"));

        manifest.Rows.ShouldBe(spine.Count);
        var delayUs = seed % 2 * 5 * BackfillLab.Hour / 60;
        for (var i = 0; i < spine.Count; i++)
        {
            var (time, origin, dest) = spine[i];
            Check(rows[i], Naive.Read("by_origin", Prefix(lab, landings, origin, time - delayUs), e => e.Origin == origin, time), i);
            Check(rows[i], Naive.Read("by_all", Prefix(lab, byAll, "", time - delayUs), _ => true, time), i);
            if (dest is null)
                rows[i]["by_dest.count_1h"].ShouldBeNull("a null key reads nothing");
            else
                Check(rows[i], Naive.Read("by_dest", Prefix(lab, byDest, dest, time - delayUs), e => e.Dest == dest && e.Delay > 0, time), i);
            var note = Naive.Accepted(Prefix(lab, landings, origin, time - delayUs)).Where(r => r.Event.Origin == origin && r.Event.Note is not null)
                .OrderBy(r => (r.Event.EventUs, r.Offset)).LastOrDefault()?.Event.Note;
            rows[i]["notes.last_note"].ShouldBe(note, $"row {i}");
            rows[i]["label"].ShouldBe((long)(i % 2));
        }

        // The same bytes whatever the cores, the buckets and the memory.
        Run(lab, "other", cores: 3, buckets: 4, rowMemory: 1);
        Bytes(lab.At("other")).ShouldBe(Bytes(lab.At("out")));
    }

    [Fact]
    public void Run_EventTimeMode_OrdersByEventTimeWithTheDelay()
    {
        var random = new Random(11);
        using var lab = new BackfillLab(partitions: 2);
        var events = LogGen.Events(random, 300);
        var landings = lab.Produce("landings", events);
        lab.Repartition("landings.by.dest", landings, e => e.Dest, random);
        lab.Repartition("landings.by.all", landings, _ => "", random);
        var spine = LogGen.Spine(random, 100, events);
        lab.WriteSpine(lab.At("spine.csv"), spine);
        var manifest = BackfillRunner.Run(lab.Catalog, Options(lab, "out") with { EventTime = true, Delay = TimeSpan.FromMinutes(5), Cores = 2, Buckets = 2 });
        manifest.Mode.ShouldBe("event-time");
        var rows = BackfillLab.Rows(lab.At("out"));
        for (var i = 0; i < spine.Count; i++)
        {
            var (time, origin, _) = spine[i];
            var cutoff = time - (5 * BackfillLab.Hour / 60);
            var ordered = Naive.Accepted(landings.Where(r => r.Event.Origin == origin)).Where(r => r.Event.EventUs <= cutoff).OrderBy(r => (r.Event.EventUs, r.Offset)).ToList();
            Check(rows[i], Naive.Read("by_origin", ordered, _ => true, time, cutoff), i);
        }
    }

    private static TrainingManifest Run(BackfillLab lab, string output, int cores, int buckets, long rowMemory) =>
        BackfillRunner.Run(lab.Catalog, Options(lab, output) with { Cores = cores, Buckets = buckets, RowMemoryBytes = rowMemory });

    private static BackfillOptions Options(BackfillLab lab, string output) => new()
    {
        Service = "delays",
        Spine = lab.At("spine.csv"),
        Archive = lab.Archive,
        Output = lab.At(output),
        AllowBeforeArchive = true,
        RowsPerFile = 40,
    };

    private static List<LabRecord> Prefix(BackfillLab lab, IReadOnlyList<LabRecord> log, string? key, long cutoffUs)
    {
        var partition = KeyPartitioner.PartitionOf(EntityKey.FromTexts(string.IsNullOrEmpty(key) ? [] : [key]), lab.Partitions);
        return [.. Naive.ArrivedBy(log.Where(r => r.Log.Partition == partition), cutoffUs)];
    }

    /// <summary>A repartition log that was never archived: (arrival clock, source partition, offset), offsets counted.</summary>
    private static List<LabRecord> Merged(BackfillLab lab, string log, IReadOnlyList<LabRecord> source, Func<LabEvent, string?> key)
    {
        var clocked = source.GroupBy(r => r.Log.Partition).SelectMany(g =>
        {
            var clock = long.MinValue;
            return g.Select(r => (Clock: clock = Math.Max(clock, r.Event.ArrivalUs), Record: r)).ToList();
        });
        return [.. clocked.Where(c => !c.Record.IsBroken && !Naive.IsDeadLetter(c.Record.Event) && key(c.Record.Event) is not null)
            .OrderBy(c => (c.Clock, c.Record.Log.Partition, c.Record.Offset))
            .Select((c, i) => new LabRecord(
                new PartitionId(log, KeyPartitioner.PartitionOf(EntityKey.FromTexts(key(c.Record.Event) is { Length: > 0 } k ? [k] : []), lab.Partitions)), i, c.Record.Event with { ArrivalUs = c.Clock }))];
    }

    private static void Check(Dictionary<string, object?> row, Dictionary<string, object?> expected, int index)
    {
        foreach (var (name, value) in expected)
            row[name].ShouldBe(value, $"row {index}, {name}");
    }

    private static Dictionary<string, string> Bytes(string directory) =>
        Directory.GetFiles(directory).Where(f => !f.EndsWith(".request", StringComparison.Ordinal)).ToDictionary(f => Path.GetFileName(f), f => Convert.ToHexString(File.ReadAllBytes(f)), StringComparer.Ordinal);
}
