using StreamMl.Shared.Time;

namespace StreamMl.BatchBackfill.Tests;

/// <summary>A bad spine is refused with the row, the value and the remedy.</summary>
public sealed class BadSpineTests : IDisposable
{
    private readonly BackfillLab lab = new();

    public BadSpineTests() => lab.Produce("landings", [.. Enumerable.Range(0, 20).Select(i => new LabEvent(BackfillLab.Start + (i * BackfillLab.Hour), BackfillLab.Start + (i * BackfillLab.Hour), $"e{i}", "JFK", "EWR", i, null))]);

    public void Dispose() => lab.Dispose();

    [Theory]
    [InlineData("time,dest\n2013-01-02T00:00:00Z,EWR", "no column 'origin'", "Add or rename")]
    [InlineData("origin,dest\nJFK,EWR", "no timestamp column", "--time COLUMN")]
    [InlineData("time,other,origin,dest\n2013-01-02T00:00:00Z,7,JFK,EWR", "", "")]
    [InlineData("time,origin,dest\n2013-01-02T00:00:00Z,JFK,EWR\n,JFK,BOS", "row 2 has no 'time'", "remove the row")]
    [InlineData("time,origin,dest\n2013-01-02T00:00:00Z,JFK,EWR\n2013-01-02T00:00:00Z,JFK,EWR", "row 2 (origin=JFK, dest=EWR at 2013-01-02T00:00:00Z) is there twice", "remove one")]
    [InlineData("time,origin,dest\n2013-01-02T00:00:00Z,JFK,EWR\n2013-01-01T12:00:00Z,JFK,EWR", "row 2 is at 2013-01-01T12:00:00Z, before the row above", "sort the file")]
    [InlineData("time,origin,dest\n2012-01-02T00:00:00Z,JFK,EWR", "row 1 is at 2012-01-02T00:00:00Z, before the archive's first event", "--allow-before-archive")]
    [InlineData("when,origin,dest\nyesterday,JFK,EWR", "no timestamp column", "--time")]
    public void Run_BadSpine_IsRefusedWithRowValueAndRemedy(string csv, string problem, string remedy)
    {
        File.WriteAllText(lab.At("spine.csv"), csv);
        var options = new BackfillOptions { Service = "delays", Spine = lab.At("spine.csv"), Archive = lab.Archive, Output = lab.At("out"), AssertSorted = true };
        if (problem.Length == 0)
        {
            BackfillRunner.Run(lab.Catalog, options).Rows.ShouldBe(1);
            return;
        }

        var message = Should.Throw<BackfillException>(() => BackfillRunner.Run(lab.Catalog, options)).Message;
        message.ShouldContain(problem);
        message.ShouldContain(remedy);
    }

    [Fact]
    public void Run_OutputOfAnotherRequest_IsRefusedUnlessOverwritten()
    {
        lab.WriteSpine(lab.At("spine.csv"), [(BackfillLab.Start + (5 * BackfillLab.Hour), "JFK", "EWR")]);
        var options = new BackfillOptions { Service = "delays", Spine = lab.At("spine.csv"), Archive = lab.Archive, Output = lab.At("out") };
        BackfillRunner.Run(lab.Catalog, options);
        BackfillRunner.Run(lab.Catalog, options).Rows.ShouldBe(1, "the same request is done already");
        lab.WriteSpine(lab.At("spine.csv"), [(BackfillLab.Start + (6 * BackfillLab.Hour), "JFK", "EWR"), (BackfillLab.Start + (7 * BackfillLab.Hour), "JFK", "EWR")]);
        Should.Throw<BackfillException>(() => BackfillRunner.Run(lab.Catalog, options)).Message.ShouldContain("--overwrite");
        BackfillRunner.Run(lab.Catalog, options with { Overwrite = true }).Rows.ShouldBe(2);
        BackfillLab.Rows(lab.At("out")).Count.ShouldBe(2);
    }

    [Fact]
    public void Run_ArchiveWithAHole_SaysWhichOffsets()
    {
        lab.Produce("schedules", [.. Enumerable.Range(0, 200).Select(i => new LabEvent(BackfillLab.Start + (i * BackfillLab.Hour), BackfillLab.Start + (i * BackfillLab.Hour), $"e{i}", "JFK", "EWR", i, null))]);
        var log = Enumerable.Range(0, 2).Select(p => new Shared.Log.PartitionId("schedules", p)).First(p => lab.Layout.Files(p).Count > 2);
        File.Delete(lab.Layout.Files(log)[1].Path);
        Should.Throw<InvalidDataException>(() => BackfillRunner.Run(lab.Catalog, new BackfillOptions { Service = "delays", Archive = lab.Archive, Output = lab.At("out") }))
            .Message.ShouldContain("are missing between");
        TimeGrid.Format(BackfillLab.Start).ShouldBe("2013-01-01T00:00:00Z");
    }

    [Fact]
    public void Run_ArchiveWithAHoleThatWasAccepted_SaysWhichOffsets()
    {
        var log = new Shared.Log.PartitionId("landings", 0);
        long end;
        using (var writer = new Infrastructure.Archive.ArchivePartitionWriter(lab.Layout, log, new Infrastructure.Archive.ArchiveRollOptions()))
        {
            end = writer.NextOffset;
            writer.AcceptLoss(end + 5);
        }

        var options = new BackfillOptions { Service = "delays", Archive = lab.Archive, Output = lab.At("out") };
        Should.Throw<InvalidDataException>(() => BackfillRunner.Run(lab.Catalog, options)).Message.ShouldContain($"landings/0: offsets {end} to {end + 4} (5)");
        Should.Throw<InvalidDataException>(() => Ledger.LedgerRunner.Recount(lab.Catalog, lab.Archive)).Message.ShouldContain($"landings/0: offsets {end} to {end + 4} (5)");
    }

    [Theory]
    [InlineData("late: delay > 15 from landings on id", "late", "delay > 15", "landings", "id", "id")]
    [InlineData("delay from landings on id = flight", "label", "delay", "landings", "id", "flight")]
    public void LabelRule_Text_IsRead(string text, string name, string expression, string source, string field, string column) =>
        Spines.LabelRule.Parse(text).ShouldBe(new Spines.LabelRule(name, expression, source, field, column));
}
