using CsCheck;
using StreamMl.Training.Splits;
using StreamMl.Training.Tests.Jobs;

namespace StreamMl.Training.Tests.Splits;

public sealed class SplitterTests : IDisposable
{
    private readonly TrainLab lab = new(rows: 1_000);

    public void Dispose() => lab.Dispose();

    [Fact]
    public void Split_ByTime_EveryRowIsInOnePartOrLeftOutAndLabelsWereKnown()
    {
        using var set = lab.Open();
        var labels = set.Numbers(set.IndexOf("hit"));
        Gen.Select(Gen.Int[100, 500], Gen.Int[50, 300], Gen.Int[0, 20]).Sample((train, validation, gapSteps) =>
        {
            var (validationUs, testUs) = (At(train), At(train + validation));
            var split = Splitter.Split(set, labels, new SplitOptions { ValidationFrom = Date(validationUs), TestFrom = Date(testUs), Gap = gapSteps == 0 ? null : TimeSpan.FromMinutes(10 * gapSteps) }, 1);
            split.Parts.SelectMany(p => p.Rows).ShouldBeUnique();
            (split.Parts.Sum(p => p.Rows.Length) + split.LeftOut.Values.Sum()).ShouldBe(set.Rows);
            // The label is known six rows later, or after the gap, whichever is longer.
            var behind = Math.Max(6, gapSteps);
            split.Train.Rows.ShouldBe(Enumerable.Range(0, Math.Max(0, train - behind)));
            split.Validation.Rows.ShouldBe(Enumerable.Range(train, validation).Where(r => r + behind < train + validation));
            split.Test.Rows.ShouldBe(Enumerable.Range(train + validation, 1_000 - train - validation));
        }, iter: 50);
    }

    [Fact]
    public void Split_Shares_FollowTheRowsTimes()
    {
        using var set = lab.Open();
        var split = Splitter.Split(set, set.Numbers(set.IndexOf("hit")), new SplitOptions { Train = 0.6, Validation = 0.2 }, 1);
        split.Train.Rows.Length.ShouldBe(594);
        split.Validation.Rows.Length.ShouldBe(194);
        split.Test.Rows.Length.ShouldBe(200);
        split.LeftOut.Keys.ShouldAllBe(k => k.StartsWith("gap", StringComparison.Ordinal));
    }

    [Fact]
    public void Split_ByEntity_NoEntityIsInTwoParts()
    {
        using var set = lab.Open();
        var split = Splitter.Split(set, set.Numbers(set.IndexOf("hit")), new SplitOptions { Kind = SplitKind.Entity, Entity = ["size"], Train = 0.5, Validation = 0.25 }, 3);
        var sizes = split.Parts.Select(p => p.Rows.Select(r => lab.Rows.Columns[2].Lanes[r]).ToHashSet()).ToList();
        sizes[0].Intersect(sizes[1]).ShouldBeEmpty();
        sizes[0].Intersect(sizes[2]).ShouldBeEmpty();
        sizes[1].Intersect(sizes[2]).ShouldBeEmpty();
        split.Warnings.ShouldNotBeEmpty();
    }

    [Fact]
    public void Split_AtRandom_WarnsAndIsDecidedByTheSeed()
    {
        using var set = lab.Open();
        var labels = set.Numbers(set.IndexOf("hit"));
        var options = new SplitOptions { Kind = SplitKind.Random };
        var split = Splitter.Split(set, labels, options, 3);
        split.Warnings.ShouldContain(w => w.Contains("flatters"));
        Splitter.Split(set, labels, options, 3).Train.Rows.ShouldBe(split.Train.Rows);
        Splitter.Split(set, labels, options, 4).Train.Rows.ShouldNotBe(split.Train.Rows);
    }

    [Fact]
    public void Split_EmptyPart_SaysWhatTheSetHas()
    {
        using var set = lab.Open();
        var error = Should.Throw<TrainingException>(() => Splitter.Split(set, set.Numbers(set.IndexOf("hit")), new SplitOptions { ValidationFrom = Date(At(1_100)), TestFrom = Date(At(1_200)) }, 1));
        error.Message.ShouldContain("validation part of the split has no rows");
        error.Message.ShouldContain("2013-01-01");
    }

    private static long At(int row) => TrainLab.StartUs + (row * TrainLab.StepUs);

    private static DateTimeOffset Date(long us) => DateTimeOffset.FromUnixTimeMilliseconds(us / 1_000);
}
