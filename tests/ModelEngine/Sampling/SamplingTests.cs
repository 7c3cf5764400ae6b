using System.Text;
using CsCheck;
using StreamMl.ModelEngine.Sampling;

namespace StreamMl.ModelEngine.Tests.Sampling;

public sealed class SamplingTests
{
    private const int Draws = 4_000;

    [Fact]
    public void SplitMix64_Seed1234567_IsThePublishedSequence()
    {
        var random = new SeededRandom(1234567);
        new[] { random.NextBits(), random.NextBits(), random.NextBits() }.ShouldBe([6457827717110365317UL, 3203168211198807973UL, 9817491932198370423UL]);
    }

    [Fact]
    public void Next_ManyDraws_AreUniform()
    {
        var random = new SeededRandom(1);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[random.Next(7)]++;
        counts.ShouldAllBe(c => Math.Abs(c - 10_000) < 450);
    }

    [Fact]
    public void Random_AnySize_IsAscendingAndDistinct() => Gen.Select(Gen.Int[0, 50], Gen.Double[0, 1], Gen.Long).Sample((rows, share, seed) =>
    {
        var size = (int)(rows * share);
        var sample = Samples.Random(rows, size, seed);
        sample.Length.ShouldBe(size);
        sample.ShouldBe(sample.Distinct().Order().Where(r => r >= 0 && r < rows));
        Samples.Random(rows, size, seed).ShouldBe(sample);
    });

    [Fact]
    public void Random_ManySeeds_TakesEveryRowAsOften() =>
        Frequencies(10, seed => Samples.Random(10, 3, seed)).ShouldAllBe(f => Math.Abs(f - 0.3) < 0.03);

    [Fact]
    public void Stratified_EveryStratum_KeepsItsShare() => Gen.Select(Gen.Int[0, 4].Array[1, 200], Gen.Double[0.05, 1], Gen.Long).Sample((strata, share, seed) =>
    {
        var sample = Samples.Stratified(strata, share, seed);
        foreach (var stratum in strata.GroupBy(s => s))
            sample.Count(r => strata[r] == stratum.Key).ShouldBe(Math.Max(1, (int)Math.Round(stratum.Count() * share, MidpointRounding.AwayFromZero)));
        sample.ShouldBe(sample.Distinct().Order());
    });

    [Fact]
    public void Cluster_ManyEntities_TakesAboutTheShareAndNests()
    {
        var (small, large) = (new ClusterSample(0.2, 9), new ClusterSample(0.5, 9));
        var keys = Enumerable.Range(0, 20_000).Select(i => Encoding.UTF8.GetBytes($"plane-{i}")).ToList();
        keys.Count(k => small.Contains(k)).ShouldBeInRange(3_800, 4_200);
        keys.ShouldAllBe(k => !small.Contains(k) || large.Contains(k));
        Enumerable.Range(0, 20_000).Count(i => small.Contains((long)i)).ShouldBeInRange(3_800, 4_200);
        keys.Count(k => small.Contains(k) && new ClusterSample(0.2, 10).Contains(k)).ShouldBeInRange(700, 900);
    }

    [Fact]
    public void Reservoir_FewValues_KeepsAll()
    {
        var reservoir = new Reservoir<int>(5, 1);
        for (var i = 0; i < 5; i++)
            reservoir.Add(i);
        reservoir.Kept.ShouldBe([0, 1, 2, 3, 4]);
        reservoir.IsComplete.ShouldBeTrue();
    }

    [Fact]
    public void Reservoir_ManySeeds_KeepsEveryValueAsOften() => Frequencies(20, seed =>
    {
        var reservoir = new Reservoir<int>(5, seed);
        for (var i = 0; i < 20; i++)
            reservoir.Add(i);
        return reservoir.Kept;
    }).ShouldAllBe(f => Math.Abs(f - 0.25) < 0.03);

    [Fact]
    public void ImportanceWeighted_OneRow_IsTakenInProportion()
    {
        double[] weights = [1, 2, 0, 5];
        var frequencies = Frequencies(4, seed => Samples.ImportanceWeighted(weights, 1, seed));
        frequencies.Zip(weights).ShouldAllBe(p => Math.Abs(p.First - (p.Second / 8)) < 0.03);
        Should.Throw<ArgumentOutOfRangeException>(() => Samples.ImportanceWeighted(weights, 4, 0)).Message.ShouldContain("3 rows have weight");
    }

    [Fact]
    public void TimeDecayed_OneHalfLife_IsHalf() =>
        RowWeights.TimeDecayed([0, 1_000_000, 2_000_000, 3_000_000], 2_000_000, TimeSpan.FromSeconds(1)).ShouldBe([0.25, 0.5, 1, 1]);

    [Fact]
    public void Balanced_Classes_WeighTheSame() => Gen.Int[0, 3].Array[1, 60].Sample(classes =>
    {
        var weights = RowWeights.OfClasses(classes, RowWeights.Balanced(classes));
        weights.Sum().ShouldBe(classes.Length, 1e-9);
        var byClass = classes.Zip(weights).GroupBy(c => c.First, c => c.Second).Select(g => g.Sum()).ToList();
        byClass.ShouldAllBe(w => Math.Abs(w - byClass[0]) < 1e-9);
    });

    [Fact]
    public void UnderAndOverSample_AnyLabels_ReachTheRate() => Gen.Select(Gen.Bool.Array[20, 200], Gen.Double[0.1, 0.9], Gen.Long)
        .Where(c => c.Item1.Count(l => l) > 5 && c.Item1.Count(l => !l) > 5).Sample((labels, rate, seed) =>
    {
        var (under, over) = (Resampling.UnderSample(labels, rate, seed), Resampling.OverSample(labels, rate, seed));
        // One row more or less is all that rounding may do.
        under.TrainingRate.ShouldBe(rate, 1.0 / under.Rows.Length);
        over.TrainingRate.ShouldBe(rate, 1.0 / over.Rows.Length);
        under.Rows.ShouldBe(under.Rows.Distinct().Order());
        over.Rows.Distinct().Count().ShouldBe(labels.Length);
        var repeats = over.Rows.GroupBy(r => r).GroupBy(g => labels[g.Key], g => g.Count());
        repeats.ShouldAllBe(r => r.Max() - r.Min() <= 1);
        under.TrueRate.ShouldBe(labels.Count(l => l) / (double)labels.Length, 1e-12);
        Resampling.UnderSample(labels, rate, seed).Rows.ShouldBe(under.Rows);
    });

    [Fact]
    public void UnderSample_OneClass_SaysSo() => Should.Throw<ArgumentException>(() => Resampling.UnderSample([true, true], 0.5, 1)).Message.ShouldStartWith("there are 2 positive and 0 negative rows");

    private static double[] Frequencies(int rows, Func<long, IEnumerable<int>> sample)
    {
        var counts = new int[rows];
        for (var seed = 0; seed < Draws; seed++)
        {
            foreach (var row in sample(seed))
                counts[row]++;
        }

        return [.. counts.Select(c => c / (double)Draws)];
    }
}
