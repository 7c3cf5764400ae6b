using System.Text;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Steps;
using StreamMl.Training.Configuration;
using StreamMl.Training.Jobs;
using StreamMl.Training.Leakage;
using StreamMl.Training.Tests.Jobs;

namespace StreamMl.Training.Tests.Leakage;

/// <summary>Each kind of fault is planted in an honest set and found by the check that is for it; the honest set passes.</summary>
public sealed class LeakCheckerTests
{
    [Fact]
    public void Honest_SplitByTime_Passes()
    {
        using var lab = new LeakLab();
        var report = lab.Check();
        report.Findings.ShouldBeEmpty();
        report.Checks.Where(c => c.Outcome == "skipped").Select(c => c.Check).ShouldBe([LeakChecks.EventTimes, LeakChecks.FittedStatistics, LeakChecks.EntityOverlap]);
        report.Rows["left out"].ShouldBeGreaterThan(0);
        Encoding.UTF8.GetString(report.ToJson()).ShouldBe(Encoding.UTF8.GetString(lab.Check().ToJson()));
    }

    [Fact]
    public void LabelTime_NoGapBeforeTheBoundary_IsFoundWithTheGapThatIsNeeded()
    {
        using var lab = new LeakLab();
        var found = Found(lab.Check(new LeakSplit { Gap = TimeSpan.Zero }), LeakChecks.LabelTime);
        found.Count.ShouldBe(2);
        found[0].What.ShouldContain("train part");
        found[0].Evidence.ShouldBeInRange(1, 1.5);
        found[0].Remedy.ShouldContain("at least 2 h");
        lab.Check(new LeakSplit { Gap = TimeSpan.FromHours(2) }).Findings.ShouldBeEmpty();
    }

    [Fact]
    public void LabelTime_KnownBeforeTheRow_IsFound()
    {
        using var lab = new LeakLab();
        foreach (var row in lab.Rows.Where((_, i) => i % 50 == 0))
            row.Known = row.Time.AddMinutes(-5);
        Found(lab.Check(), LeakChecks.LabelTime).ShouldHaveSingleItem().Evidence.ShouldBeInRange(0.019, 0.021);
    }

    [Fact]
    public void Availability_EventTimeWithoutDelay_IsFound()
    {
        using var lab = new LeakLab { Mode = "event-time" };
        Found(lab.Check(), LeakChecks.Availability).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("ends", "0s", "the label comes from it")]
    [InlineData("starts", "0s", "ahead of them")]
    [InlineData("ends", "1m", null)]
    public void Availability_PlainFileBesideTheArchive_IsFoundUnlessADelayIsGiven(string log, string delay, string? why)
    {
        using var lab = new LeakLab { Delay = delay };
        lab.Origins[log] = "history";
        var found = Found(lab.Check(), LeakChecks.Availability);
        if (why is null)
            found.ShouldBeEmpty();
        else
            found.ShouldHaveSingleItem().What.ShouldContain(why);
    }

    [Fact]
    public void Availability_PlainFilesAlone_NameOnlyTheLabelsOwn()
    {
        using var lab = new LeakLab();
        foreach (var log in lab.Origins.Keys)
            lab.Origins[log] = "history";
        Found(lab.Check(), LeakChecks.Availability).ShouldHaveSingleItem().What.ShouldContain("'ends'");
    }

    /// <summary>Outcomes under the times of another log's events, with the few that the other log lacks; and outcomes that come later, in a log whose load is alike.</summary>
    [Theory]
    [InlineData("history", true, true)]
    [InlineData("archive", true, false)]
    [InlineData("history", false, false)]
    public void EventTimes_OutcomesUnderAnotherLogsTimes_AreFoundInAPlainFile(string origin, bool isSame, bool isFound)
    {
        // A delay was given, so that the manifest says nothing.
        using var lab = new LeakLab { Delay = "1s" };
        (lab.Origins["ends"], lab.Origins["ends.by.plane"]) = (origin, origin);
        var load = 20.0;
        foreach (var row in lab.Rows)
        {
            load = Math.Clamp(load + (0.3 * LeakLab.Normal(lab.Random)), 8, 40);
            row.Started = (long)Math.Max(0, load + (2 * LeakLab.Normal(lab.Random)));
            row.Ended = isSame ? row.Started + (lab.Random.NextDouble() < 0.03 ? 1 : 0) : (long)Math.Max(0, load + (2 * LeakLab.Normal(lab.Random)));
        }

        var report = lab.Check();
        if (!isFound)
        {
            report.Findings.ShouldBeEmpty();
            report.Checks.Single(c => c.Check == LeakChecks.EventTimes).Outcome.ShouldBe("passed");
            return;
        }

        var found = Found(report, LeakChecks.EventTimes).ShouldHaveSingleItem();
        found.Column.ShouldBe("ended.count_30m");
        found.What.ShouldContain("at the times of 'starts'");
        lab.Check(skip: LeakChecks.EventTimes).Findings.ShouldBeEmpty();
    }

    /// <summary>Outcomes that come within seconds: the windows are alike, as they should be.</summary>
    [Fact]
    public void EventTimes_LabelsThatTakeNoTime_AreNotJudgedByLongWindows()
    {
        using var lab = new LeakLab { Delay = "1s" };
        lab.Origins["ends"] = "history";
        foreach (var row in lab.Rows)
        {
            row.Known = row.Time.AddSeconds(20);
            row.Started = row.Ended = lab.Random.Next(5, 30);
        }

        var report = lab.Check();
        Found(report, LeakChecks.EventTimes).ShouldBeEmpty();
        report.Checks.Single(c => c.Check == LeakChecks.EventTimes).Outcome.ShouldBe("skipped");
    }

    [Fact]
    public void Skip_OfNoCheck_NamesThoseThatAre()
    {
        using var lab = new LeakLab(100);
        Should.Throw<LeakException>(() => lab.Check(skip: "event-hours")).Message.ShouldContain("event-times");
    }

    [Fact]
    public void Duplicates_CopiedBeforeARandomSplit_AreFound()
    {
        using var lab = new LeakLab();
        foreach (var row in lab.Rows.Where(r => r.Label).Take(2_000).ToList())
            lab.Rows.Add(row with { });
        foreach (var row in lab.Rows)
            row.Part = lab.Random.NextDouble() < 0.7 ? "train" : "test";
        var found = Found(lab.Check(new LeakSplit { PartColumn = "part" }), LeakChecks.Duplicates).ShouldHaveSingleItem();
        // A pair is torn apart in 42 of 100 cases.
        found.Rows!.Value.ShouldBeInRange(700, 1_000);
        found.Examples.Count.ShouldBe(5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e-4)]
    public void NearDuplicates_CopiesWithNoiseAndAnotherTime_AreFound(double noise)
    {
        using var lab = new LeakLab();
        for (var i = 0; i < 300; i++)
        {
            var source = lab.Rows[i * 7];
            var target = lab.Rows[lab.Rows.Count - 1 - (i * 10)];
            (target.Entity, target.Plane, target.Distance, target.Label) = (source.Entity, source.Plane, source.Distance, source.Label);
            (target.Rate, target.Weather, target.Noise) = (source.Rate, source.Weather + (noise * LeakLab.Normal(lab.Random)), source.Noise);
        }

        var report = lab.Check();
        var found = Found(report, LeakChecks.NearDuplicates).ShouldHaveSingleItem();
        found.Rows!.Value.ShouldBeInRange(290, 320);
        Found(report, LeakChecks.Duplicates).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0.02, LeakChecks.StrongFeature, 0.95)]
    [InlineData(0.6, LeakChecks.StrongFeature, 0)]
    public void StrongFeature_MadeOfTheLabel_IsFound(double spread, string check, double leastAuc)
    {
        using var lab = new LeakLab();
        foreach (var row in lab.Rows)
            row.Extra = (row.Label ? 1 : 0) + (spread * LeakLab.Normal(lab.Random));
        var found = Found(lab.Check(), check).ShouldHaveSingleItem();
        found.Column.ShouldBe("origin.extra");
        if (leastAuc > 0)
            found.Evidence.ShouldBeGreaterThan(leastAuc);
        else
            found.What.ShouldContain("far better than any other");
    }

    [Fact]
    public void StrongFeature_InTheMiddleOnly_IsFound()
    {
        using var lab = new LeakLab();
        foreach (var row in lab.Rows)
            row.Extra = row.Label ? lab.Random.NextDouble() - 0.5 : (lab.Random.Next(2) == 0 ? 1 : -1) * (0.5 + lab.Random.NextDouble());
        Found(lab.Check(), LeakChecks.StrongFeature).ShouldHaveSingleItem().Column.ShouldBe("origin.extra");
    }

    [Fact]
    public void Missingness_FilledWhenTheOutcomeIsKnown_IsFound()
    {
        using var lab = new LeakLab();
        foreach (var row in lab.Rows)
            row.Extra = row.Label == (lab.Random.NextDouble() < 0.75) ? 1 + LeakLab.Normal(lab.Random) : null;
        Found(lab.Check(), LeakChecks.Missingness).ShouldHaveSingleItem().Column.ShouldBe("origin.extra");
    }

    [Fact]
    public void OwnLabel_InAWindowOfTwo_IsFoundByAShift()
    {
        using var lab = new LeakLab();
        var last = new Dictionary<string, bool>();
        foreach (var row in lab.Rows)
        {
            row.Extra = (row.Label ? 0.6 : 0) + (last.GetValueOrDefault(row.Entity) ? 0.2 : 0) + (0.5 * LeakLab.Normal(lab.Random));
            last[row.Entity] = row.Label;
        }

        var found = Found(lab.Check(), LeakChecks.OwnLabel).ShouldHaveSingleItem();
        found.Column.ShouldBe("origin.extra");
        found.Evidence.ShouldBeGreaterThan(found.Limit);
    }

    [Fact]
    public void EarlyLabels_WindowsByEventTime_AreFoundWhereArrivalWouldPass()
    {
        using var lab = new LeakLab();
        // The entity's last outcome, known or not, but never the row's own; in a window it is the newest of a few.
        var last = new Dictionary<string, double>();
        foreach (var row in lab.Rows)
        {
            row.Extra = last.TryGetValue(row.Entity, out var past) ? past : null;
            last[row.Entity] = (row.Label ? 1 : 0) + (0.3 * (row.Extra ?? 0));
        }

        Found(lab.Check(), LeakChecks.EarlyLabels).ShouldHaveSingleItem().Column.ShouldBe("origin.extra");
    }

    [Fact]
    public void EntityOverlap_DeclaredAndNotKept_IsFound()
    {
        using var lab = new LeakLab();
        foreach (var row in lab.Rows)
            row.Part = row.Plane[^1] is '0' or '1' or '2' ? "test" : "train";
        lab.Check(new LeakSplit { PartColumn = "part", Entity = ["plane"] }).Checks.ShouldContain(c => c.Check == LeakChecks.EntityOverlap && c.Outcome == "passed");
        lab.Rows[0].Part = lab.Rows[0].Part == "test" ? "train" : "test";
        var found = Found(lab.Check(new LeakSplit { PartColumn = "part", Entity = ["plane"] }), LeakChecks.EntityOverlap).ShouldHaveSingleItem();
        found.Examples.ShouldContain(lab.Rows[0].Plane);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FittedStatistics_OfAllParts_AreFound(bool leak)
    {
        using var lab = new LeakLab();
        // What comes later is otherwise: an honest fit cannot know it.
        for (var i = 0; i < lab.Rows.Count; i++)
            lab.Rows[i].Extra = LeakLab.Normal(lab.Random) + (i > 17_000 ? 2 : 0);
        foreach (var row in lab.Rows.TakeLast(500))
            row.Plane = "X1";
        var definition = new PipelineDefinition(["origin.extra", "weather.wind", "plane"], [], [new StepDefinition("standard", "origin.extra"), new StepDefinition("standard", "weather.wind"), new StepDefinition("one_hot", "plane")]);
        var options = new FitOptions(ModelTask.Binary, Seed: 3);
        // The split that leaves nothing to validation and test is how a careless fit sees the set.
        var seen = new LeakSplit { TrainShare = leak ? 0.9999 : 0.7, ValidationShare = leak ? 0.00005 : 0.15 };
        var fitted = FittedStatisticsCheck.Refit(lab.Write(), seen, definition, options);
        var report = lab.Check(model: new FittedModel(definition, fitted, options));
        var found = Found(report, LeakChecks.FittedStatistics);
        if (leak)
            found.Select(f => f.Column).ShouldBe(["plane", "origin.extra", "weather.wind"], ignoreOrder: true);
        else
            found.ShouldBeEmpty();
        report.Checks.Single(c => c.Check == LeakChecks.FittedStatistics).Outcome.ShouldBe(leak ? "found" : "passed");
    }

    [Fact]
    public void FittedStatistics_OfAModelThatTrainingMade_AreHonest()
    {
        using var lab = new TrainLab();
        using var set = lab.Open();
        var config = TrainLab.Linear("label: hit\ntrainer: sdca\n");
        var run = new TrainingJob(TimeProvider.System, _ => { }).Run(set, config);
        var model = new FittedModel(config.Pipeline, run.Model.Document.Pipeline, new FitOptions(config.Task, 2, config.Seed));
        var report = LeakChecker.Run(new LeakRequest { Data = set.Directory, Config = config, Model = model });
        Found(report, LeakChecks.FittedStatistics).ShouldBeEmpty();
        report.Checks.Single(c => c.Check == LeakChecks.FittedStatistics).Outcome.ShouldBe("passed");
        var sampled = LeakChecker.Run(new LeakRequest { Data = set.Directory, Config = config, Model = model with { Sample = "sampling TimeDecay" } });
        sampled.Checks.Single(c => c.Check == LeakChecks.FittedStatistics).Note.ShouldContain("sampling TimeDecay");
    }

    [Theory]
    [InlineData("{ by: time }", 0)]
    [InlineData("{ by: time, gap: 0s }", 0)]
    [InlineData("{ by: random }", 2)]
    public void Config_OfATraining_IsSplitAsTrainingDoes(string split, int findings)
    {
        using var lab = new LeakLab();
        var (config, problems) = TrainConfigFile.Parse($"label: late\nsplit: {split}\ntrainer: {{ kind: lightgbm }}\n", "train.yaml");
        config.ShouldNotBeNull(string.Join('\n', problems));
        Found(LeakChecker.Run(new LeakRequest { Data = lab.Write(), Config = config }), LeakChecks.LabelTime).Count.ShouldBe(findings);
    }

    [Fact]
    public void Split_ThatCannotBe_SaysWhatWould()
    {
        using var lab = new LeakLab(100);
        Should.Throw<LeakException>(() => lab.Check(new LeakSplit { PartColumn = "wing" })).Message.ShouldContain("'wing'");
        Should.Throw<LeakException>(() => lab.Check(new LeakSplit { PartColumn = "part" })).Message.ShouldContain("leaves a part empty");
        Should.Throw<LeakException>(() => lab.Check(new LeakSplit { TrainShare = 1 })).Message.ShouldContain("cannot be split");
    }

    private static List<LeakFinding> Found(LeakReport report, string check) => [.. report.Findings.Where(f => f.Check == check)];
}
